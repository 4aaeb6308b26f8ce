"""The audio file of each id, in a folder whose files are named by ids."""

from collections.abc import Callable
from pathlib import Path

from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.prepare.walk import LIBSNDFILE_SUFFIXES, Tree, is_audio, suffix_of


def audio_by_id(
    tree: Tree, remarks: list[str], id_of: Callable[[Path], str] = lambda path: path.stem
) -> dict[str, Path]:
    """Of several files of an id, the first by its path of those that libsndfile reads, else that are audio.

    Args:
        tree: what the folder holds.
        remarks: are told of ids with several audio files.
        id_of: the id that a path names.
    """
    files: dict[str, list[Path]] = {}
    for path in tree.files:
        files.setdefault(id_of(path), []).append(path)
    audio = {name: sum(map(is_audio, paths)) for name, paths in files.items()}
    several = sorted(name for name, number in audio.items() if number > 1)
    if several:
        remarks.append(f"{len(several)} tracks have several audio files; one is used: {name_some(several)}")
    return {name: min(paths, key=_preference) for name, paths in files.items()}


def _preference(path: Path) -> tuple[bool, bool, Path]:
    return suffix_of(path) not in LIBSNDFILE_SUFFIXES, not is_audio(path), path
