"""What a user may type after `-u`: pemr, pemr_local, pemr_url, pemr_random."""

from s3prl.util.download import _urls_to_filepaths

from .expert import UpstreamExpert as _UpstreamExpert
from .expert import load_pemr as _load_pemr
from .expert import random_pemr as _random_pemr


def pemr(ckpt: str | None = None, model_config: str | None = None, **_: object) -> _UpstreamExpert:
    """PEMR with the weights of this package (MODEL_CARD.md), or of a checkpoint (-k) of run_pretrain.py."""
    if model_config is not None:
        raise ValueError("-g is not for -u pemr: a checkpoint holds the settings of its model")
    return _UpstreamExpert(_load_pemr("pemr" if ckpt is None else ckpt))


def pemr_local(ckpt: str | None = None, model_config: str | None = None, **_: object) -> _UpstreamExpert:
    """PEMR from a checkpoint on disk (-k)."""
    if ckpt is None:
        raise ValueError(
            "-u pemr_local needs a checkpoint: pass -k CKPT (from run_pretrain.py); the weights that come "
            "with this package are -u pemr"
        )
    return pemr(ckpt, model_config)


def pemr_url(
    ckpt: str | None = None, model_config: str | None = None, refresh: bool = False, **_: object
) -> _UpstreamExpert:
    """PEMR from a checkpoint at a URL (-k), downloaded once; -r downloads it again."""
    if ckpt is None:
        raise ValueError("-u pemr_url needs the checkpoint's URL: pass it with -k URL")
    return pemr(_urls_to_filepaths(ckpt, refresh=refresh), model_config)


def pemr_random(ckpt: str | None = None, model_config: str | None = None, **_: object) -> _UpstreamExpert:
    """PEMR with random weights: the same ones every time; with -f initialised from --seed."""
    if ckpt is not None:
        raise ValueError("-u pemr_random takes no checkpoint; for pretrained weights use -u pemr -k CKPT")
    return _random_pemr(model_config)
