"""Read a pretraining checkpoint safely and say what it holds.

A checkpoint is a dict; what concerns the upstream: `Method` (the name after -u), `Upstream_Config` (the model
yaml as a dict) and `Upstream` (the model's state dict). The rest belongs to the runner that wrote it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from s3prl_pemr.safety.damage import damage_of
from s3prl_pemr.settings import parse

from .shared_folder import CONFIG, WEIGHTS, read_shared
from .weights_file import SUFFIX, read_weights

SHIPPED = ("pemr",)  # names whose weights come with the package: upstream/NAME/weights/NAME.json
IN_SAMPLES, MOST_SAMPLES = ("sample_rate", "n_fft", "hop_samples"), 1_000_000  # settings that no weight shows
NEEDED = ("Method", "Upstream_Config", "Upstream")


def shipped_weights(name: str) -> Path:
    """The json of weights that come with the package."""
    spec = importlib.util.find_spec(f"s3prl.upstream.{name}")
    return Path(spec.submodule_search_locations[0]) / "weights" / f"{name}{SUFFIX}"


def read_checkpoint(
    path: str | Path, needed: tuple[str, ...] = NEEDED, writer: str = "run_pretrain.py"
) -> dict[str, Any]:
    """Load with `weights_only`: nothing in the file is executed.

    Args:
        path: a checkpoint, a json of weights (weights_file.py), a folder of save_pretrained, one of SHIPPED.
        needed: keys that it must have.
        writer: who writes such files, for the messages.

    Raises:
        ValueError: one line: not there, damaged, not a checkpoint, or without a key that is `needed`.
    """
    path = Path(path).expanduser()
    if str(path) in SHIPPED and not path.exists():
        path = shipped_weights(str(path))
    if (path / CONFIG).is_file():
        states = read_shared(path / CONFIG, path / WEIGHTS, path)
    elif not path.is_file():
        raise ValueError(f"checkpoint {path} is not a file; pass one that {writer} wrote")
    else:
        states = read_weights(path) if path.suffix == SUFFIX else _read_archive(path, writer)
    missing = set(needed) - set(states)
    if missing:
        raise ValueError(f"checkpoint {path} was not written by {writer}: no {', '.join(sorted(missing))}")
    fill_in_settings(states.get("Upstream_Config"))
    return states


def _read_archive(path: Path, writer: str) -> dict[str, Any]:
    damage = damage_of(path)
    if damage:
        raise ValueError(f"checkpoint {path} {damage}")
    try:
        states = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what the unpickler meets in a file of another kind can be anything
        raise ValueError(f"checkpoint {path} cannot be read: not one that {writer} wrote") from error
    return states if isinstance(states, dict) else {}


def fill_in_settings(settings: Any) -> None:
    """Adds to a checkpoint's Upstream_Config what its version did not know, as that version had it.

    Up to 0.1 frames went into the transformer unscaled.
    """
    model = settings.get("model") if isinstance(settings, dict) else None
    if isinstance(model, dict) and isinstance(model.get("transformer"), dict):
        model["transformer"].setdefault("frame_scale", "1")


def load_model(path: str | Path, method: str, model_class: type[nn.Module]) -> nn.Module:
    """The model of a checkpoint, in eval mode.

    Args:
        path: the checkpoint, or a folder of save_pretrained.
        method: the name after -u that it must be of.
        model_class: built from its `Config`.

    Raises:
        ValueError: one line: as `read_checkpoint`, another method, or weights that do not fit its settings.
    """
    if Path(path).is_dir():
        return load_folder(path, method, model_class)
    states = read_checkpoint(path)
    if states["Method"] != method:
        raise ValueError(f"checkpoint {path} is of -u {states['Method']}, not of -u {method}")
    if not isinstance(states["Upstream_Config"], dict):
        raise ValueError(f"checkpoint {path}: its Upstream_Config holds no settings")
    settings = states["Upstream_Config"].get("model")
    _refuse_odd_weights(states["Upstream"], f"checkpoint {path}")
    refuse_larger_settings(settings, states["Upstream"], f"checkpoint {path}")
    model = model_class(parse(model_class.Config, settings, f"{path}, Upstream_Config.model"))
    load_weights(model, states["Upstream"], f"checkpoint {path}")
    steps = {"steps": states["Step"]} if "Step" in states else {}
    model.method, model.weights_card = method, states.get("Card", steps)
    return model.eval()


def load_folder(path: str | Path, method: str, model_class: type[nn.Module]) -> nn.Module:
    """As `load_model`, of a folder that save_pretrained wrote (shared_model.py)."""
    model = model_class.from_pretrained(path)
    if model.method not in (None, method):
        raise ValueError(f"{path} is of -u {model.method}, not of -u {method}")
    return model


def load_weights(module: nn.Module, weights: dict[str, Any], where: str) -> None:
    """Put weights into a module.

    Raises:
        ValueError: one line that begins with `where`: other names or shapes, or values that are not finite.
    """
    _refuse_odd_weights(weights, where)
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{where}: {' '.join(str(error).split())[:200]}") from error


def _refuse_odd_weights(weights: Any, where: str) -> None:
    """Raises ValueError (one line) for what is no dict of named tensors, or has NaN or infinite values."""
    if not (isinstance(weights, dict) and all(isinstance(name, str) for name in weights)):
        raise ValueError(f"{where}: holds no weights by their names")
    for name, value in weights.items():
        if not isinstance(value, Tensor):
            raise ValueError(f"{where}: {name} is no tensor")
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise ValueError(f"{where}: {name} has values that are NaN or infinite; it is of no use")


def refuse_larger_settings(settings: Any, weights: dict[str, Tensor], where: str) -> None:
    """A model of sizes that its weights have not would fill the memory before their shapes are compared.

    Raises: ValueError (one line).
    """
    largest = max((size for value in weights.values() for size in value.shape), default=0)
    for key, value in settings.items() if isinstance(settings, dict) else ():
        if isinstance(value, dict):
            refuse_larger_settings(value, weights, where)
        most = MOST_SAMPLES if key in IN_SAMPLES else largest
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, int) and number > most:
                raise ValueError(f"{where}: {key} {number} is more than any size of its weights ({most})")
