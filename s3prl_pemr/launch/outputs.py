"""Whether a result can be written where it is to go: asked before hours of work, not after."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from s3prl_pemr.safety.whole_file import remove_partials


class OutputError(ValueError):
    """A place that cannot be written; one line."""


def check_folder(folder: Path | str, flag: str) -> None:
    """Nothing if files can be written into the folder, or where it would be made; leaves no trace.

    Args:
        folder: there, or to be made with its parents.
        flag: the argument's name, for the message.

    Raises: OutputError (one line).
    """
    existing = Path(folder)
    while not os.path.lexists(existing):
        existing = existing.parent
    if not existing.is_dir():
        what = "not a folder" if existing == Path(folder) else f"{existing} is not a folder"
        raise OutputError(f"{flag} {folder}: {what}; choose another place")
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(
            f"{flag} {folder}: {existing} cannot be written ({reason}); choose another place"
        ) from error


def check_file(path: Path, flag: str) -> None:
    """The same for a file; its folder has to be there. Removes what killed runs left half-written of it.

    Raises: OutputError (one line).
    """
    if path.is_dir():
        raise OutputError(f"{flag} {path}: is a folder; name a file in it")
    if not os.path.lexists(path.parent):
        raise OutputError(
            f"{flag} {path}: there is no folder {path.parent}; make it, or choose another place"
        )
    check_folder(path.parent, flag)
    if path.exists() and not os.access(path, os.W_OK):
        raise OutputError(f"{flag} {path}: cannot be written; choose another place")
    remove_partials(path)
