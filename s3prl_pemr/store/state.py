"""store.json as a reader sees it: whether prepare came to its end there, and where the audio lies."""

from __future__ import annotations

import json
from pathlib import Path

from s3prl_pemr.audio import SAMPLE_RATE

from .index import FORMAT_VERSION, REBUILD, STATE_FILE, StoreError
from .parts import JOINED_FORMAT


def folders_of(path: Path) -> list[Path]:
    """The folders that hold a store's audio: its own, or those of its parts.

    Raises:
        StoreError: no store, an unfinished or a damaged one, or one of another version.
    """
    state = _read_state(path)
    if state.get("format") != JOINED_FORMAT:
        return [path]
    parts = state.get("parts")
    if not (isinstance(parts, list) and parts and all(isinstance(part, str) for part in parts)):
        raise StoreError(f"{path / STATE_FILE}: damaged; run prepare join again")
    folders = [path / part for part in parts]
    for folder in folders:
        if not (folder / STATE_FILE).is_file():
            raise StoreError(
                f"{path}: its part {folder} is not there; put it back, or run prepare join again with its "
                "new place"
            )
        if _read_state(folder).get("format") == JOINED_FORMAT:
            raise StoreError(f"{path}: its part {folder} is a joined store; join the parts themselves")
    return folders


def _read_state(path: Path) -> dict:
    state_path = path / STATE_FILE
    try:
        state = json.loads(state_path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(
            f"{path}: not an audio store ({STATE_FILE}: {error.strerror}); "
            "write one with 's3prl-pemr prepare folder SRC DST'"
        ) from error
    except ValueError as error:
        raise StoreError(f"{state_path}: damaged; {REBUILD}") from error
    if not isinstance(state, dict):
        raise StoreError(f"{state_path}: damaged; {REBUILD}")
    if state.get("format") not in (FORMAT_VERSION, JOINED_FORMAT) or state.get("sample_rate") != SAMPLE_RATE:
        raise StoreError(f"{state_path}: written by another version of s3prl-pemr; {REBUILD}")
    if not state.get("complete"):
        raise StoreError(f"{path}: prepare was interrupted; run the same prepare command again")
    return state
