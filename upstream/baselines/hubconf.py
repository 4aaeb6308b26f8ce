"""What a user may type after `-u`: every method of s3prl_pemr/methods.py, and NAME_local, its alias."""

from s3prl.upstream.adapter.checkpoint import load_model as _load_model
from s3prl.upstream.adapter.expert import UpstreamExpert as _UpstreamExpert

from s3prl_pemr.methods import METHODS as _METHODS
from s3prl_pemr.methods import model_class as _model_class


def _entry(method):
    def entry(ckpt=None, model_config=None, **_):
        if model_config is not None:
            raise ValueError(f"-g is not for -u {method}: a checkpoint holds the settings of its model")
        if ckpt is None:
            raise ValueError(
                f"-u {method} needs a checkpoint: pass -k CKPT (from run_pretrain.py -u {method})"
            )
        return _UpstreamExpert(_load_model(ckpt, method, _model_class(method)))

    entry.__name__ = entry.__qualname__ = method
    entry.__doc__ = f"The encoder of a checkpoint (-k) of run_pretrain.py -u {method}."
    return entry


for _name in _METHODS:
    if _name != "pemr":  # it has a hubconf of its own
        globals()[_name] = globals()[f"{_name}_local"] = _entry(_name)
