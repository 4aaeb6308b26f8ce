"""What `run_pretrain.py -u` trains with our runner: one row for each name."""

from __future__ import annotations

import importlib
import importlib.util
import json
from pathlib import Path
from typing import NamedTuple

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


def objective_class(name: str) -> type:
    """The `TrainingMethod` (s3prl/pretrain/training/method.py) of a name."""
    return _load("pretrain", METHODS[name].objective)


def model_class(name: str) -> type:
    """The model of a name; its `Config` is the dataclass it is built from."""
    return _load("upstream", METHODS[name].model)


def load_any(weights: str | Path) -> nn.Module:
    """The model of a checkpoint, of shipped weights or of a folder of save_pretrained, in eval mode.

    Raises:
        ValueError: one line: no such name or file, a damaged one, or a method that is not in METHODS.
    """
    from s3prl.upstream.adapter.checkpoint import load_model, read_checkpoint

    if Path(weights).is_dir():
        return _from_folder(Path(weights))
    method = read_checkpoint(weights)["Method"]
    if method not in METHODS:
        raise ValueError(f"{weights}: of -u {method}, which this version does not know")
    return load_model(weights, method, model_class(method))


def _from_folder(folder: Path) -> nn.Module:
    """Of the class that the folder's config.json names; see upstream/adapter/shared_model.py."""
    places = {method.model.split(":")[1]: method.model for method in METHODS.values()}
    try:
        name = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model"]
        place = places[name]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder}: no model of {', '.join(places)} that save_pretrained wrote") from error
    return _load("upstream", place).from_pretrained(folder)


def default_settings(name: str) -> tuple[Path, Path]:
    """The runner's and the model's yaml of a name.

    A method has its `NAME.yaml` beside its objective (PEMR: `config_model.yaml`), the runner's
    `config_runner.yaml` of PEMR, and `NAME_runner.yaml` only where it cannot use that.
    """
    spec = importlib.util.find_spec(f"s3prl.pretrain.{METHODS[name].objective.split('.')[0]}")
    folder = Path(spec.submodule_search_locations[0])
    if name == "pemr":
        return folder / "config_runner.yaml", folder / "config_model.yaml"
    own = folder / f"{name}_runner.yaml"
    return (own if own.is_file() else default_settings("pemr")[0]), folder / f"{name}.yaml"


def _load(kind: str, place: str) -> type:
    module, name = place.split(":")
    return getattr(importlib.import_module(f"s3prl.{kind}.{module}"), name)
