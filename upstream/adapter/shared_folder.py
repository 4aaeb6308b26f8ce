"""What lies in the folder of a shared model beside its weights, and what each file is for.

config.json, preprocessor_config.json: for s3prl_pemr.load, from_pretrained and transformers' Auto classes.
expert.py, requirements.txt: for s3prl's --hub huggingface (s3prl/downstream/runner.py:120-141). README.md:
for people.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

CONFIG, WEIGHTS = "config.json", "model.safetensors"
MODEL_TYPE, MODEL_CLASS = "pemr", "PemrModel"  # in transformers; s3prl_pemr/sharing/in_transformers.py
EXTRACTOR_CLASS = "PemrFeatureExtractor"
# No `resolve()`: in the hub's cache the file is a link into another folder.
EXPERT = '''"""What s3prl's `--hub huggingface` imports; the weights are in model.safetensors."""

from pathlib import Path

import s3prl_pemr  # first: it mends the toolkit

# isort: split
from s3prl.upstream.adapter.expert import UpstreamExpert as Expert


class UpstreamExpert(Expert):
    """List of 1-D waveforms at 16 kHz -> dict of hidden states."""

    def __init__(self, ckpt=None, model_config=None, **_):
        super().__init__(s3prl_pemr.load(Path(__file__).parent))
'''
USE = """\
```python
import s3prl_pemr
from huggingface_hub import snapshot_download

model = s3prl_pemr.load(snapshot_download("ME/NAME"))  # or this folder
frames = model(wavs, lengths)  # (B, samples) at {rate} Hz in [-1, 1], (B,) -> (B, frames, {width})
```

In transformers: `import s3prl_pemr.sharing.in_transformers`, then `AutoModel.from_pretrained("ME/NAME")`.
In s3prl: `s3prl-pemr downstream -m train --hub huggingface -u ME/NAME -d music_tagging -n a`; or a folder.
"""


def files_beside_weights(model: Any, version: str) -> dict[str, str]:
    """Name and text of each file but the card.

    Args:
        model: a SharedModel.
        version: of this package, the least that reads the folder.
    """
    config = {
        "model_type": MODEL_TYPE,
        "architectures": [MODEL_CLASS],
        "model": type(model).__name__,
        "config": asdict(model.config),
        "method": model.method,
        "weights": model.weights_card,
    }
    extractor = {
        "feature_extractor_type": EXTRACTOR_CLASS,
        "feature_size": 1,
        "sampling_rate": model.sample_rate,
        "padding_value": 0.0,
        "return_attention_mask": True,
    }
    return {
        CONFIG: _json(config),
        "preprocessor_config.json": _json(extractor),
        "expert.py": EXPERT,
        "requirements.txt": f"s3prl-pemr>={version}\n",
    }


def read_shared(config: Path, weights: Path, where: str | Path) -> dict[str, Any]:
    """What a checkpoint holds (checkpoint.py), and `Model`, the model's class: of a folder's two files.

    Args:
        config, weights: the files.
        where: what to call the folder in messages.

    Raises:
        ValueError: one line: not such files.
    """
    try:
        content = json.loads(config.read_text(encoding="utf-8"))
        model, settings = content["model"], content["config"]
        held = load_file(weights)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{where}: no model that save_pretrained wrote ({reason})") from error
    method = content.get("method")
    return {
        "Method": method, "Upstream_Config": {"method": method, "model": settings}, "Upstream": held,
        "Card": content.get("weights") or {}, "Model": model,
    }  # fmt: skip


def card_text(model: Any) -> str:
    """The card below its yaml: what the model is, what is known of its weights, how it is used."""
    parameters = sum(parameter.numel() for parameter in model.parameters())
    seconds = model.samples_per_frame / model.sample_rate
    lines = [
        f"# {model.method or type(model).__name__}",
        "",
        f"A {type(model).__name__} of s3prl-pemr, music representation for [s3prl](https://github.com/s3prl/"
        f"s3prl): {parameters:,} parameters, waveforms at {model.sample_rate:,} Hz to frames of "
        f"{model.output_dim} values, one per {model.samples_per_frame:,} samples ({seconds:.3f} s).",
    ]
    if model.weights_card:
        lines += ["", "## The weights", "", "```json", _json(model.weights_card).rstrip(), "```"]
    else:
        lines += ["", "On which music, for how long, with which scores: to be filled in."]
    use = USE.replace("{rate}", str(model.sample_rate)).replace("{width}", str(model.output_dim))
    return "\n".join([*lines, "", "## Use", "", use])


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
