"""A model of ours as a folder, or as a repository of the Hugging Face hub.

What `save_pretrained` and `push_to_hub` of huggingface_hub write (shared_folder.py) and `from_pretrained`
reads. Reading executes nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from huggingface_hub import ModelCard, ModelHubMixin, hf_hub_download
from safetensors.torch import save

from s3prl_pemr import __version__
from s3prl_pemr.safety.whole_file import write_whole
from s3prl_pemr.settings import parse

from .checkpoint import load_weights, refuse_larger_settings
from .shared_folder import CONFIG, WEIGHTS, card_text, files_beside_weights, read_shared

TAGS = ["music", "audio", "feature-extraction", "s3prl"]


@dataclass
class FixedConfig:
    """Of a network whose settings are those of its paper: none to choose."""


class SharedModel(ModelHubMixin, library_name="s3prl-pemr", license="apache-2.0", tags=TAGS):
    """Beside nn.Module in the bases of a model that is built from its `Config`, a dataclass, as `config`.

    Attributes:
        method: the name after -u that its weights are of; None where that is not known.
        weights_card: what is known of them (data, steps, scores ...), as it stands in a shipped json.
    """

    Config: ClassVar[type] = FixedConfig
    config: Any = FixedConfig()
    method: str | None = None
    weights_card: dict[str, Any] = {}  # noqa: RUF012 - replaced, never changed

    @classmethod
    def from_config(cls, config: Any) -> SharedModel:
        """With random weights, from a `Config`."""
        return cls(config)

    def _save_pretrained(self, save_directory: Path) -> None:
        """ModelHubMixin's hook. Raises OSError."""
        for name, text in files_beside_weights(self, __version__).items():
            write_whole(save_directory / name, text.encode())
        weights = {name: value.detach().cpu().contiguous() for name, value in self.state_dict().items()}
        write_whole(save_directory / WEIGHTS, save(weights, metadata={"format": "pt"}))

    def generate_model_card(self, *_: Any, **__: Any) -> ModelCard:
        """ModelHubMixin's hook."""
        return ModelCard(f"---\n{self._hub_mixin_info.model_card_data.to_yaml()}\n---\n\n{card_text(self)}")

    @classmethod
    def _from_pretrained(cls, *, model_id: str, **download: Any) -> SharedModel:
        """ModelHubMixin's hook: a folder, or a repository's name, which is downloaded. In eval mode.

        Raises:
            ValueError: one line: not such a folder, another model, or weights that do not fit.
        """
        config_path, weights_path = (_path(model_id, name, download) for name in (CONFIG, WEIGHTS))
        states = read_shared(config_path, weights_path, model_id)
        settings, weights = states["Upstream_Config"]["model"], states["Upstream"]
        if states["Model"] != cls.__name__:
            raise ValueError(f"{model_id}: a {states['Model']}, not a {cls.__name__}")
        refuse_larger_settings(settings, weights, str(config_path))
        model = cls.from_config(parse(cls.Config, settings, str(config_path)))
        model.method, model.weights_card = states["Method"], states["Card"]
        load_weights(model, weights, str(weights_path))
        return model.eval()


def _path(model_id: str, name: str, download: dict[str, Any]) -> Path:
    if Path(model_id).is_dir():
        return Path(model_id) / name
    known = ("revision", "cache_dir", "force_download", "local_files_only", "token")
    return Path(hf_hub_download(model_id, name, **{key: download.get(key) for key in known}))
