"""Files that the disk, or a copy, has changed: told by checksums that they carry already."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path


def damage_of(path: Path) -> str | None:
    """What is wrong with a file that torch.save or numpy.savez wrote; None where nothing is.

    Both write zip archives, with a CRC-32 of each record, which torch does not look at when it loads: with a
    flipped bit in a tensor one would train on. Files of another kind, as torch's of before 1.6, have none.

    Raises: OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return None
    try:
        with zipfile.ZipFile(path) as archive:
            record = archive.testzip()
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, UnicodeDecodeError) as error:
        return f"is damaged or cut off ({' '.join(str(error).split())})"
    except OSError:
        raise
    except Exception as error:  # zlib.error and what else a flipped header leads to
        return f"is damaged ({' '.join(str(error).split())})"
    return f"is damaged: the checksum of its part {record} differs" if record else None


def refuse_damaged_newest(checkpoints: Sequence[Path]) -> None:
    """Say what to do where a run cannot go on from its newest checkpoint.

    Args:
        checkpoints: of a run, oldest first; at least one.

    Raises:
        ValueError: one line: the last one is damaged.
    """
    *older, newest = checkpoints
    damage = damage_of(newest)
    if damage is None:
        return
    intact = next((path for path in reversed(older) if damage_of(path) is None), None)
    remedy = f"remove it, and -a goes on from {intact.name}" if intact else "and no older one is intact"
    raise ValueError(f"checkpoint {newest} {damage}; {remedy}")
