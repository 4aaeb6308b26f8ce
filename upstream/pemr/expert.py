"""PEMR as s3prl's upstream: from a checkpoint, or with random weights."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from s3prl.upstream.adapter.checkpoint import load_model
from s3prl.upstream.adapter.expert import RandomUpstreamExpert, UpstreamExpert

from s3prl_pemr.settings import parse, read_yaml

from .config import PemrConfig
from .model import PEMR

__all__ = ["RandomUpstreamExpert", "UpstreamExpert", "load_pemr", "random_pemr"]


def load_pemr(path: str | Path) -> PEMR:
    """The model of a `-u pemr` checkpoint, in eval mode; raises as `load_model`."""
    return load_model(path, "pemr", PEMR)


def random_pemr(model_config: str | None = None) -> RandomUpstreamExpert:
    """`-u pemr_random`: the control of every pretrained row and, with -f, the FCN row.

    Args:
        model_config: a yaml like config_model.yaml.
    """
    settings = None
    if model_config is not None:
        settings = read_yaml(model_config, "-g").get("model")
    return RandomUpstreamExpert(partial(PEMR, parse(PemrConfig, settings, str(model_config))))
