"""PEMR for s3prl: importing this mends the toolkit for current PyTorch and registers what we have.

The map, from a section of the paper to a folder to a command:

    3.1  crops, augmentation    pretrain/crops, pretrain/augment    s3prl-pemr prepare, pretrain
    3.2  log-mel                upstream/fcn4/frontend.py
    3.3  transformer, Eq. 1-3   upstream/pemr/transformer.py
    3.4  masks, Eq. 4-5         upstream/pemr/masking.py
    3.5  FCN-4                  upstream/fcn4/encoder.py            s3prl-pemr downstream -u pemr
    3.6  losses, Eq. 6-9        pretrain/pemr/objective.py          s3prl-pemr pretrain -u pemr
    4.2  music tagging          downstream/music_tagging            s3prl-pemr downstream -d music_tagging
         baselines, taggers     pretrain/baselines, upstream/taggers
    4.3  cover songs            downstream/cover_song               s3prl-pemr downstream -d cover_song
    4.4  ablations              pretrain/ablations                  s3prl-pemr pretrain -u NAME, compare

`upstream` has what has learned weights, `pretrain` what only training needs, `downstream` what needs labels.
In this package is what connects them with s3prl, files and people: `toolkit`, `loops`, `launch`, `safety`,
`audio`, `store`, `features`, `task`, `report`, `prepare`, `demo`, `comparison`, `first_look`, `covers`,
`index`, `embedding`, `sharing`, `explain`; a folder's first line says what it is, CONTRIBUTING.md where a
change belongs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any

    from torch import nn

    from .embedding.embedder import Embedded

__all__ = ["__version__", "embed", "load", "register"]

__version__ = "0.2.0.dev0"  # setup.cfg has it too: tests/toolkit/test_registration.py compares them


def load(weights: str | Path) -> nn.Module:
    """The model of a name whose weights come along (pemr), a checkpoint, a json of weights, or a folder.

    Returns: in eval mode; of PEMR upstream/pemr/model.py: PEMR, with front end, encoder, transformer, masks.

    Raises:
        ValueError: one line: no such name or file, or one that is damaged.
    """
    from .methods import load_any

    return load_any(weights)


def embed(
    files: Iterable[str | Path],
    upstream: str = "pemr",
    checkpoint: str | None = None,
    device: str | None = None,
    **wanted: Any,
) -> list[Embedded]:
    """Vectors of audio files, of any format that `s3prl-pemr prepare` reads.

    Args:
        files: paths.
        upstream, checkpoint: of s3prl's hub; its checkpoint, where it wants one.
        device: cuda where there is one, else cpu.
        wanted: layer, pool (none, mean, mean_std), every_seconds, piece_seconds: as of `s3prl-pemr embed`.

    Returns: for each file, embedding (frames, D), seconds (frames,) and clip (D,), all float32.

    Raises:
        ValueError: one line: no such file or upstream, or a file that cannot be read.
    """
    from .embedding.notebook import embed_files

    return embed_files(files, upstream, checkpoint, device, **wanted)


def _is_the_program() -> bool:
    """Whether this is imported by one of our commands, and not by somebody's own program."""
    program = sys.argv[0].replace("\\", "/").rpartition("/")[2] if sys.argv else ""
    module = sys.orig_argv[2:3] if program == "-m" else []
    ours = program.startswith("s3prl-pemr") or program in ("run_pretrain.py", "run_downstream.py")
    return ours or any(name.startswith("s3prl_pemr") for name in module)


try:
    from .toolkit import compat
    from .toolkit.registration import register

    compat.apply()
    register()
except KeyboardInterrupt:  # these imports take seconds
    if not _is_the_program():
        raise
    print("interrupted", file=sys.stderr)
    raise SystemExit(130) from None
