"""What `run_pretrain.py -u` trains with our runner, one row for each name; and the taggers."""

from __future__ import annotations

import importlib
import importlib.util
import json
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

_LOG_MEL = "fcn4.model:LogMelFCN"


class Method(NamedTuple):
    """objective: class below s3prl.pretrain. model: class below s3prl.upstream, what a checkpoint holds."""

    objective: str
    model: str


METHODS = {
    "pemr": Method("pemr.method:PemrMethod", "pemr.model:PEMR"),
    "pemr_pos": Method("ablations.pemr_pos:PemrPos", "pemr.model:PEMR"),
    "pemr_random_mask": Method("ablations.random_mask:PemrRandomMask", _LOG_MEL),
    "barlow_twins": Method("ablations.barlow_twins:BarlowTwins", _LOG_MEL),
    "simclr": Method("baselines.simclr:SimCLR", _LOG_MEL),
    "clmr": Method("baselines.clmr:CLMR", "baselines.model:WaveformSampleCNN"),
    "moco": Method("baselines.moco:MoCo", _LOG_MEL),
    "moco_v2": Method("baselines.moco:MoCoV2", _LOG_MEL),
    "byol": Method("baselines.byol:BYOL", _LOG_MEL),
    "cola": Method("baselines.cola:COLA", _LOG_MEL),
}

# Trained with the labels (s3prl/upstream/taggers): classes below s3prl.upstream.
TAGGERS = {
    "fcn": "taggers.fcn:FCN",
    "sample_cnn": "taggers.sample_cnn:SampleCNN",
    "musicnn": "taggers.musicnn:Musicnn",
    "timbre_cnn": "taggers.timbre_cnn:TimbreCNN",
    "cnn_1d": "taggers.cnn_1d:CNN1D",
}


def objective_class(name: str) -> type:
    """The `TrainingMethod` (s3prl/pretrain/training/method.py) of a name."""
    return _load("pretrain", METHODS[name].objective)


def model_class(name: str) -> type:
    """The model of a name; its `Config` is the dataclass it is built from."""
    return _load("upstream", METHODS[name].model)


def load_any(weights: str | Path) -> nn.Module:
    """The model of a checkpoint, of shipped weights or of a folder of save_pretrained, in eval mode.

    Raises:
        ValueError: one line: no such name or file, a damaged one, or neither of METHODS nor of TAGGERS.
    """
    from s3prl.upstream.adapter.checkpoint import load_model, read_checkpoint
    from s3prl.upstream.taggers.expert import trained_tagger

    if Path(weights).is_dir():
        return _from_folder(Path(weights))
    states = read_checkpoint(weights, needed=())
    tagger = getattr(states.get("Args"), "upstream", None)
    if tagger in TAGGERS and "Upstream" in states:
        return trained_tagger(tagger, str(weights)).model
    if "Method" not in states:
        raise ValueError(
            f"checkpoint {weights} was not written by run_pretrain.py, nor by run_downstream.py -f with one "
            f"of {', '.join(TAGGERS)}"
        )
    method = states["Method"]
    if method not in METHODS:
        raise ValueError(f"{weights}: of -u {method}, which this version does not know")
    return load_model(weights, method, model_class(method))


def _from_folder(folder: Path) -> nn.Module:
    """Of the class that the folder's config.json names; see upstream/adapter/shared_model.py."""
    try:
        name = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model"]
        model = shared_classes()[name]
    except (OSError, ValueError, KeyError, TypeError) as error:
        known = ", ".join(shared_classes())
        raise ValueError(f"{folder}: no model of {known} that save_pretrained wrote") from error
    return model.from_pretrained(folder)


def shared_classes() -> dict[str, Any]:
    """The models that a folder of save_pretrained may hold, by their names in its config.json."""
    places = [*(method.model for method in METHODS.values()), *TAGGERS.values()]
    return {place.split(":")[1]: _load("upstream", place) for place in places}


def default_settings(name: str) -> tuple[Path, Path]:
    """The runner's and the model's yaml of a name.

    A method has its `NAME.yaml` beside its objective (PEMR: `config_model.yaml`), the runner's
    `config_runner.yaml` of PEMR, and `NAME_runner.yaml` only where it cannot use that.
    """
    spec = importlib.util.find_spec(f"s3prl.pretrain.{METHODS[name].objective.split('.')[0]}")
    assert spec and spec.submodule_search_locations, name
    folder = Path(spec.submodule_search_locations[0])
    if name == "pemr":
        return folder / "config_runner.yaml", folder / "config_model.yaml"
    own = folder / f"{name}_runner.yaml"
    return (own if own.is_file() else default_settings("pemr")[0]), folder / f"{name}.yaml"


def _load(kind: str, place: str) -> Any:
    module, name = place.split(":")
    return getattr(importlib.import_module(f"s3prl.{kind}.{module}"), name)
