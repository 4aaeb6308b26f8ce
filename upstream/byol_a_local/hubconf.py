"""What a user may type after `-u`: byol_a_local."""

import re as _re

from s3prl.upstream.adapter.checkpoint import read_checkpoint as _read_checkpoint

from .expert import UpstreamExpert as _UpstreamExpert


def byol_a_local(ckpt=None, model_config=None, **_):
    """BYOL-A (Niizumi et al., IJCNN 2021) from its authors' weights on disk (-k); 512, 1024 or 2048 values.

    s3prl/run_downstream.py cannot build its own byol_a_512, byol_a_1024 and byol_a_2048: their hubconf passes
    `ckpt` twice.

    -g YAML sets what its log-mel is normalised with: `norm_mean` and `norm_std`, or `store: STORE` to measure
    them there. Without it: those of the authors' data, which suit no other.
    """
    if ckpt is None:
        raise ValueError(
            "-u byol_a_local needs -k CKPT: a file of pretrained_weights in github.com/nttcslab/byol-a"
        )
    states = _read_checkpoint(ckpt, needed=(), writer="nttcslab/byol-a")
    weights = states.get("state_dict", states)
    widths = [len(weights[key]) for key in weights if _re.search(r"(^|\.)fc\.3\.weight$", str(key))]
    if len(widths) != 1:
        raise ValueError(
            f"checkpoint {ckpt} is not of BYOL-A: {len(widths)} weights of its last layer (fc.3), not 1"
        )
    try:
        return _UpstreamExpert(ckpt, widths[0], model_config)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"checkpoint {ckpt} is not of BYOL-A: {reason}") from error
