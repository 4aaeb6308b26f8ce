"""The likeliest tags of files by a trained head: -m inference, read back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from s3prl_pemr.comparison.launchers import PROGRAM


def head_tags(head: Path, files: Sequence[Path], most: int) -> dict[str, list[tuple[str, float]]]:
    """By a file's stem its tags with their probabilities, likeliest first.

    Raises:
        ValueError: one line: the command failed, with its last line.
    """
    command = [*PROGRAM, "downstream", "-m", "inference", "-e", str(head), "-t", *map(str, files)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"{head}: {(done.stderr.strip() or 'failed').splitlines()[-1]}")
    tags: dict[str, list[tuple[str, float]]] = {}
    stems = {str(file): file.stem for file in files}
    found: list[tuple[str, float]] = []
    for line in done.stdout.splitlines():
        if line in stems:
            found = tags.setdefault(stems[line], [])
        elif line.startswith("  ") and len(found) < most:
            probability, tag = line.split(maxsplit=1)
            found.append((tag, float(probability)))
    return tags
