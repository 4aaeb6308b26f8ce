"""Gain. B: clips, N: samples."""

from torch import Tensor

from s3prl_pemr.loops.device import to_device


def apply_gain(wavs: Tensor, gain_db: Tensor) -> Tensor:
    """Scale each clip by 10^(gain_db / 20).

    CLMR clamps to [-1, 1] here. This does not: its gains are all negative and float samples have room above
    1, so a clamp could only distort a clip that came in louder than full scale.

    Args:
        wavs: (B, N).
        gain_db: (B,).

    Returns: (B, N).
    """
    return wavs * (10.0 ** (to_device(gain_db, wavs.device) / 20.0))[:, None]
