"""What a user may type after `-u`: fcn, sample_cnn, musicnn, timbre_cnn, cnn_1d."""

from .expert import random_tagger as _random_tagger
from .expert import trained_tagger as _trained_tagger


def _tagger(name):
    def entry(ckpt=None, model_config=None, **_):
        if model_config is not None:
            raise ValueError(f"-g is not for -u {name}: its settings are those of its paper")
        return _random_tagger(name) if ckpt is None else _trained_tagger(name, ckpt)

    entry.__name__ = entry.__qualname__ = name
    entry.__doc__ = (
        f"{name}, random: the same weights every time, with -f initialised from --seed. Or as an earlier "
        "run_downstream.py -f has trained it: that run's checkpoint with -k."
    )
    return entry


fcn = _tagger("fcn")
sample_cnn = _tagger("sample_cnn")
musicnn = _tagger("musicnn")
timbre_cnn = _tagger("timbre_cnn")
cnn_1d = _tagger("cnn_1d")
