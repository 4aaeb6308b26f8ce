"""GTZAN's splits: fault-filtered, lists of one's own, and random stratified folds."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from s3prl_pemr.store.index import StoreError
from s3prl_pemr.store.track_names import relative_to_root

from .separator import separator_hint
from .split_lists import read_disjoint_lists

FAULT_FILTERED_FILE = Path(__file__).with_name("gtzan_fault_filtered.txt")
FAULT_FILTERED_COUNTS = {"train": 443, "valid": 197, "test": 290}
SPLITS = tuple(FAULT_FILTERED_COUNTS)
LISTS = {split: f"{split}_filtered.txt" for split in SPLITS}
FOLDS = 10


def fault_filtered() -> dict[str, tuple[str, str]]:
    """Genre and split of each of the 930 tracks that are no repetition, distortion or mislabelling."""
    found = {}
    for line in FAULT_FILTERED_FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        genre, split, ranges = line.split()
        for numbers in ranges.split(","):
            first, _, last = numbers.partition("-")
            for number in range(int(first), int(last or first) + 1):
                found[f"{genre}.{number:05}"] = genre, split
    return found


def own_lists(folder: Path, roots: Sequence[str] = ()) -> dict[str, tuple[str, str]]:
    """Genre and split of each track of train_filtered.txt and the like, lines of GENRE/NAME.wav.

    Args:
        folder: of the lists.
        roots: absolute paths of the genres' folder, below which a line may be an absolute path.

    Raises:
        StoreError: a list is missing, empty or malformed, or a track comes twice.
    """
    paths = {split: folder / name for split, name in LISTS.items()}
    splits = read_disjoint_lists(paths, partial(_genre_and_track, roots=roots))
    found = {}
    for line, split in splits.items():
        genre, track = line.split("/")
        if track in found:
            raise StoreError(f"{folder}: the lists have the track {track} in two genres")
        found[track] = genre, split
    return found


def random_folds(genres: Sequence[str], seed: int, fold: int) -> list[str]:
    """The split of each track in one of ten stratified folds: this fold is the test, the next one the valid.

    Args:
        genres: of each track; the folds depend on their order.
        seed: of the shuffle, the same for all ten folds.
        fold: 0 ... 9; fold 9 is followed by fold 0.

    Raises:
        StoreError: a genre has fewer tracks than there are folds.
    """
    from sklearn.model_selection import StratifiedKFold  # a second to import, which no other command needs

    few = sorted({genre for genre in genres if genres.count(genre) < FOLDS})
    if few:
        raise StoreError(
            f"{FOLDS} folds need {FOLDS} tracks of every genre; there are fewer of {', '.join(few)}"
        )
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(np.zeros(len(genres)), genres)
    members = [members for _, members in folds]
    splits = np.full(len(genres), "train", dtype=object)
    splits[members[(fold + 1) % FOLDS]] = "valid"
    splits[members[fold]] = "test"
    return list(splits)


def _genre_and_track(line: str, roots: Sequence[str]) -> str:
    path = PurePosixPath(relative_to_root(line.strip(), roots))
    hint = separator_hint(path.suffix)  # a name may hold a comma, its suffix does not
    if len(path.parts) != 2 or ".." in path.parts or "\t" in path.suffix or hint:
        raise ValueError(f"it should be GENRE/NAME.wav and no more{hint}")
    return f"{path.parts[0]}/{path.stem}"
