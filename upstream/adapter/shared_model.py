"""A model of ours as a folder, or as a repository of the Hugging Face hub.

config.json (settings), model.safetensors (weights) and README.md (a card): what `save_pretrained` and
`push_to_hub` of huggingface_hub write, and `from_pretrained` reads. Nothing in them is executed.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from huggingface_hub import ModelHubMixin, hf_hub_download
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from s3prl_pemr.safety.whole_file import write_whole
from s3prl_pemr.settings import parse

from .checkpoint import load_weights

CONFIG, WEIGHTS = "config.json", "model.safetensors"
TAGS = ["music", "audio", "feature-extraction", "s3prl"]


class SharedModel(ModelHubMixin, library_name="s3prl-pemr", license="apache-2.0", tags=TAGS):
    """Beside nn.Module in the bases of a model that is built from its `Config`, a dataclass, as `config`."""

    Config: ClassVar[type]
    config: Any

    def _save_pretrained(self, save_directory: Path) -> None:
        """ModelHubMixin's hook. Raises OSError."""
        content = {"model": type(self).__name__, "config": asdict(self.config)}
        write_whole(save_directory / CONFIG, (json.dumps(content, indent=2) + "\n").encode())
        weights = {name: value.detach().cpu().contiguous() for name, value in self.state_dict().items()}
        save_file(weights, save_directory / WEIGHTS, metadata={"format": "pt"})

    @classmethod
    def _from_pretrained(cls, *, model_id: str, **download: Any) -> SharedModel:
        """ModelHubMixin's hook: a folder, or a repository's name, which is downloaded. In eval mode.

        Raises:
            ValueError: one line: not such a folder, another model, or weights that do not fit.
        """
        config_path, weights_path = (_path(model_id, name, download) for name in (CONFIG, WEIGHTS))
        try:
            content = json.loads(config_path.read_text(encoding="utf-8"))
            name, settings = content["model"], content["config"]
            weights = load_file(weights_path)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{model_id}: no model that save_pretrained wrote ({reason})") from error
        if name != cls.__name__:
            raise ValueError(f"{model_id}: a {name}, not a {cls.__name__}")
        model = cls(parse(cls.Config, settings, str(config_path)))
        load_weights(model, weights, str(weights_path))
        return model.eval()


def _path(model_id: str, name: str, download: dict[str, Any]) -> Path:
    if Path(model_id).is_dir():
        return Path(model_id) / name
    known = ("revision", "cache_dir", "force_download", "local_files_only", "token")
    return Path(hf_hub_download(model_id, name, **{key: download.get(key) for key in known}))
