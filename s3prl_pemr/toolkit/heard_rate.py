"""A word where hf_hubert_custom is given MERT's folder, which it would feed 16 kHz as if they were 24."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

TOOLKIT_HZ = 16_000  # s3prl/upstream/hf_hubert/expert.py:6: what every waveform is said to be
logger = logging.getLogger(__name__)


def warned(make: Callable[..., Any]) -> Callable[..., Any]:
    """The hub's entry; it warns where the folder of -k says that its model heard another rate."""

    @functools.wraps(make)
    def made(ckpt: Any, *args: Any, **settings: Any) -> Any:
        rate_hz = rate_of(ckpt)
        if rate_hz not in (None, TOOLKIT_HZ):
            logger.warning(
                f"{ckpt}: this model heard {rate_hz} Hz, and {make.__name__} gives it {TOOLKIT_HZ} Hz as if "
                "they were that; use -u mert_local, which resamples"
            )
        return make(ckpt, *args, **settings)

    return made


def rate_of(ckpt: Any) -> int | None:
    """`sample_rate` of a folder's config.json, as MERT's has it; None where nothing says."""
    try:
        return json.loads((Path(ckpt) / "config.json").read_bytes())["sample_rate"]
    except (OSError, TypeError, ValueError, LookupError):
        return None
