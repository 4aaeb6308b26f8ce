"""What is chosen from SHS100K's lists: the real ones where they are here, and small ones."""

from collections import Counter

import pytest
from places import SHARED

from s3prl_pemr.prepare.datasets.covers.shs100k import list_shs100k
from s3prl_pemr.prepare.datasets.covers.shs100k_lists import (
    count,
    read_lists,
    release,
    sample,
    straddling,
    with_versions,
    without_straddling,
    work_of,
)
from s3prl_pemr.store.index import StoreError

REAL = SHARED / "shs100k"
SPLITS = {
    split: [f"{work}_{version}" for work in works for version in range(2 + work % 3)]
    for split, works in (("train", range(40)), ("valid", range(40, 50)), ("test", range(50, 60)))
}


@pytest.mark.skipif(not REAL.exists(), reason="the real lists are not here")
def test_the_real_lists():
    splits = read_lists(REAL)
    assert release(splits) == "SHS100K2"
    assert count(splits) == {"train": (87_091, 5_324), "valid": (10_884, 1_842), "test": (10_547, 1_692)}
    six = with_versions(splits, 6)
    assert count(six) == {"train": (84_340, 4_611), "valid": (10_884, 1_842), "test": (10_547, 1_692)}
    assert straddling(six) == {"5982": ["train", "valid"], "8110": ["valid", "test"]}
    # Their tracks are the same in both: 6 of 5982, 5 of 8110.
    dropped = {"train": (84_334, 4_610), "valid": (10_879, 1_841), "test": (10_547, 1_692)}
    assert count(without_straddling(six)) == dropped
    assert not straddling(without_straddling(six))


@pytest.mark.skipif(not REAL.exists(), reason="the real lists are not here")
def test_the_real_lists_without_any_audio(tmp_path):
    listing = list_shs100k(REAL, tmp_path)
    assert listing.split_counts == {"train": 84_340, "valid": 10_884, "test": 10_547}
    assert listing.count_splits() == listing.split_counts
    assert len({source.track for source in listing.sources}) == len(listing.sources)
    assert listing.dataset.split == "SHS100K2, min-versions 6, straddling keep"
    assert "2751 training tracks are left out" in listing.remarks[0]
    assert "2 works are in more than one split" in listing.remarks[1]
    with pytest.raises(StoreError, match="--sample 100 takes 80 train tracks .* there is audio of 0"):
        list_shs100k(REAL, tmp_path, sample=100)


def test_the_first_release_is_known_by_its_counts(tmp_path):
    counts = {"TRAIN": (101_968, 8_177), "VAL": (3_918, 909), "TEST": (2_983, 116)}
    for number, (name, (tracks, works)) in enumerate(counts.items()):
        lines = [f"{i % works + 10_000 * number}\t{i}\n" for i in range(tracks)]
        (tmp_path / f"SHS100K-{name}").write_text("".join(lines))
    assert "WARNING: these are the lists of the first release" in list_shs100k(tmp_path, tmp_path).remarks[0]
    (tmp_path / "SHS100K-VAL").write_text("0\t0\n")
    assert release(read_lists(tmp_path)) == "own lists"


def test_a_sample_is_of_whole_works_in_the_ratio():
    drawn = sample(SPLITS, sum(SPLITS.values(), []), tracks=60, seed=1)
    whole = Counter(work_of(track) for tracks in SPLITS.values() for track in tracks)
    for split, wanted in (("train", 48), ("valid", 6), ("test", 6)):
        assert set(drawn[split]) <= set(SPLITS[split])
        assert wanted <= len(drawn[split]) < wanted + 4  # a work has 4 versions at most
        versions = Counter(map(work_of, drawn[split]))
        assert all(number == whole[work] for work, number in versions.items())
    assert sample(SPLITS, sum(SPLITS.values(), []), 60, seed=1) == drawn
    assert sample(SPLITS, sum(SPLITS.values(), []), 60, seed=2) != drawn


def test_a_sample_is_of_tracks_with_audio():
    there = {track for tracks in SPLITS.values() for track in tracks if not track.endswith("_0")}
    drawn = sample(SPLITS, there, tracks=40, seed=0)
    tracks = sum(drawn.values(), [])
    assert set(tracks) <= there
    # Of a work with two versions one is left, which has no cover.
    assert min(Counter(map(work_of, tracks)).values()) == 2
    with pytest.raises(StoreError, match="--sample 400 takes 320 train tracks .*; there is audio of 119"):
        sample(SPLITS, sum(SPLITS.values(), []), 400, seed=0)
