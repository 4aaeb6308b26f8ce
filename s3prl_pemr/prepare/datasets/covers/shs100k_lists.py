"""SHS100K's split lists, and what is chosen from them. A track is "SET_VER"; SET is its work."""

import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path

import numpy as np

from s3prl_pemr.safety.whole_file import write_whole
from s3prl_pemr.store.index import StoreError

from ..separator import separator_hint
from ..split_lists import read_list

Splits = dict[str, list[str]]  # the tracks of train, valid and test
# TPPNet calls its training list SHS100K-TRAIN_6.
LIST_NAMES = {
    "train": ("SHS100K-TRAIN", "SHS100K-TRAIN_6"),
    "valid": ("SHS100K-VAL",),
    "test": ("SHS100K-TEST",),
}
# Tracks and works of train, valid and test, by which a release is known.
FIRST_RELEASE = "first release of SHS100K"
RELEASES = {
    ((87_091, 5_324), (10_884, 1_842), (10_547, 1_692)): "SHS100K2",
    ((84_340, 4_611), (10_883, 1_842), (10_547, 1_692)): "SHS100K2 as listed by TPPNet",
    ((101_968, 8_177), (3_918, 909), (2_983, 116)): FIRST_RELEASE,
}
SAMPLE_SHARES = {"train": 8, "valid": 1, "test": 1}  # of the tracks; paper 4.1.1
LINE = re.compile(r"(\d+)[\t_](\d+)", re.ASCII)


def read_lists(folder: Path) -> Splits:
    """The tracks of each split, in the order of its list; empty where there is no list.

    Raises:
        StoreError: there is no list at all, or one is empty or malformed, or names a track twice.
    """
    splits: Splits = {}
    for split, names in LIST_NAMES.items():
        path = next((folder / name for name in names if (folder / name).exists()), None)
        splits[split] = read_list(path, _track) if path else []
    if not any(splits.values()):
        names = ", ".join(names[0] for names in LIST_NAMES.values())
        raise StoreError(f"{folder}: there is no {names} here; say where they lie with --lists FOLDER")
    return splits


def write_lists(folder: Path, splits: Splits) -> None:
    """Write the tracks of each split in the form that `read_lists` takes. Raises OSError."""
    folder.mkdir(exist_ok=True)
    for split, (name, *_) in LIST_NAMES.items():
        if splits[split]:
            lines = [track.replace("_", "\t") + "\n" for track in splits[split]]
            write_whole(folder / name, "".join(lines).encode())
        else:
            (folder / name).unlink(missing_ok=True)


def work_of(track: str) -> str:
    """The SET of a "SET_VER"."""
    return track.partition("_")[0]


def count(splits: Splits) -> dict[str, tuple[int, int]]:
    """Tracks and works of each split."""
    return {split: (len(tracks), len(set(map(work_of, tracks)))) for split, tracks in splits.items()}


def release(splits: Splits) -> str:
    """Which of the published releases the lists are, by their counts."""
    return RELEASES.get(tuple(count(splits).values()), "own lists")


def with_versions(splits: Splits, min_versions: int) -> Splits:
    """Without the training works that have fewer versions in the training list (paper 4.1.1, TPPNet)."""
    versions = Counter(map(work_of, splits["train"]))
    return {
        **splits,
        "train": [track for track in splits["train"] if versions[work_of(track)] >= min_versions],
    }


def straddling(splits: Splits) -> dict[str, list[str]]:
    """The works that are in more than one split, and in which."""
    of: dict[str, list[str]] = {}
    for split, tracks in splits.items():
        for work in dict.fromkeys(map(work_of, tracks)):
            of.setdefault(work, []).append(split)
    return {work: splits_of_work for work, splits_of_work in of.items() if len(splits_of_work) > 1}


def without_straddling(splits: Splits) -> Splits:
    """Each straddling work in its last split only, so that the test split stays the published one."""
    last = {work: of[-1] for work, of in straddling(splits).items()}
    return {
        split: [track for track in tracks if last.get(work_of(track), split) == split]
        for split, tracks in splits.items()
    }


def sample(splits: Splits, there: Collection[str], tracks: int, seed: int) -> Splits:
    """Random whole works of each split, 8:1:1 by tracks, as the paper draws its SHS100K-SUB (4.1.1, 4.3).

    The last work drawn may bring a split above its share. A work counts with the tracks that are there, and
    only if those are two at least.

    Args:
        splits: the tracks of each split.
        there: tracks with audio.
        tracks: how many to draw, all splits together.
        seed: of the draw.

    Raises:
        StoreError: a split has too few tracks.
    """
    rng = np.random.default_rng(seed)
    drawn: Splits = {}
    for split, share in SAMPLE_SHARES.items():
        with_audio = [track for track in splits[split] if track in there]
        versions = Counter(map(work_of, with_audio))
        works = sorted((work for work in versions if versions[work] > 1), key=int)
        wanted = round(tracks * share / sum(SAMPLE_SHARES.values()))
        available = sum(versions[work] for work in works)
        if not 1 <= wanted <= available:
            raise StoreError(
                f"--sample {tracks} takes {wanted} {split} tracks of works with two versions or more; "
                f"there is audio of {available}"
            )
        order = rng.permutation(works)
        ends = np.cumsum([versions[work] for work in order])
        chosen = set(order[: np.searchsorted(ends, wanted) + 1])
        drawn[split] = [track for track in with_audio if work_of(track) in chosen]
    return drawn


def _track(line: str) -> str:
    match = LINE.fullmatch(line)
    if not match:
        hint = separator_hint(line)
        raise ValueError(f"it should be two whole numbers, SET<TAB>VER or SET_VER{hint}")
    return f"{int(match[1])}_{int(match[2])}"
