"""Finds files in a tree."""

import os
from collections.abc import Iterator
from pathlib import Path

LIBSNDFILE_SUFFIXES = frozenset(
    (".aif", ".aifc", ".aiff", ".au", ".bwf", ".caf", ".flac", ".mp2", ".mp3", ".oga", ".ogg", ".opus")
    + (".rf64", ".snd", ".sph", ".voc", ".w64", ".wav", ".wave")
)
FFMPEG_SUFFIXES = frozenset(
    (".3gp", ".aac", ".ac3", ".alac", ".amr", ".ape", ".dff", ".dsf", ".dts", ".eac3", ".m4a", ".m4b", ".m4r")
    + (".mka", ".mp4", ".mpc", ".ra", ".spx", ".tak", ".tta", ".weba", ".webm", ".wma", ".wv")
)
AUDIO_SUFFIXES = LIBSNDFILE_SUFFIXES | FFMPEG_SUFFIXES


def files_below(root: Path) -> Iterator[Path]:
    """Every file of the tree, in no order, but hidden ones, AppleDouble files (`._*`), and hidden folders."""
    seen = set()  # links to folders are followed, each folder once
    for folder, folders, files in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        yield from (Path(folder, name) for name in files if not name.startswith("."))
