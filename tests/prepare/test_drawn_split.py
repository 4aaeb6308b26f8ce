"""`prepare folder --split-by`: splits drawn for one's own music."""

from collections import Counter
from pathlib import Path

import prepare_fixtures
import pytest
from prepare_fixtures import prepare

from s3prl_pemr.prepare.drawn_split import DrawnSplit, draw_splits
from s3prl_pemr.prepare.source import Source
from s3prl_pemr.store import AudioStore, StoreError

folder, finished = prepare_fixtures.folder, prepare_fixtures.finished


def albums(*sizes, label=""):
    return [
        Source(f"{label}/album {album}/{track}.mp3", Path("x"), labels=(label,))
        for album, size in enumerate(sizes)
        for track in range(size)
    ]


def of_each_folder(sources):
    found = {}
    for source in sources:
        found.setdefault(source.track.rpartition("/")[0], set()).add(source.split)
    return found


def test_an_album_stays_together_and_shares_are_met():
    sources, line = draw_splits(albums(*[5] * 40, label="a"), DrawnSplit((80, 10, 10)))
    assert all(len(splits) == 1 for splits in of_each_folder(sources).values())
    assert Counter(source.split for source in sources) == {"train": 160, "valid": 20, "test": 20}
    assert line == "split 80/10/10 by folder, seed 0: 40 units drawn; tracks: train 160, valid 20, test 20"


def test_every_label_comes_in_every_split():
    everything = [source for label in "abcdef" for source in albums(*[3] * 10, label=label)]
    sources, _ = draw_splits(everything, DrawnSplit((80, 10, 10), seed=5))
    counts = Counter((source.labels[0], source.split) for source in sources)
    for label in "abcdef":
        assert [counts[label, split] for split in ("train", "valid", "test")] == [24, 3, 3]


def test_folders_that_are_the_label_and_the_root_are_drawn_track_by_track():
    flat = [Source(f"rock/{n}.mp3", Path("x"), labels=("rock",)) for n in range(10)]
    loose = [Source(f"{n}.mp3", Path("x")) for n in range(10)]
    for sources in (flat, loose):
        drawn, _ = draw_splits(sources, DrawnSplit((60, 20, 20)))
        assert Counter(source.split for source in drawn) == {"train": 6, "valid": 2, "test": 2}


def test_the_seed_decides_and_the_order_of_the_listing_does_not():
    sources = albums(*range(1, 30), label="a")
    splits = [
        {source.track: source.split for source in draw_splits(listed, DrawnSplit((50, 25, 25), seed))[0]}
        for listed, seed in ((sources, 0), (sources[::-1], 0), (sources, 1))
    ]
    assert splits[0] == splits[1] != splits[2]


def test_a_split_that_is_given_stays():
    given = Source("a/1.mp3", Path("x"), "test")
    drawn, _ = draw_splits([given, *albums(2, 2, 2, 2, label="b")], DrawnSplit((50, 50, 0)))
    assert drawn[0] == given
    assert Counter(source.split for source in drawn[1:]) == {"train": 4, "valid": 4}


def test_too_few_folders_are_one_line():
    with pytest.raises(StoreError, match="2 folders leave nothing for test; draw single tracks with"):
        draw_splits(albums(5, 5, label="a"), DrawnSplit((40, 30, 30)))


@pytest.mark.parametrize("text", ["80/20", "80/10/20", "0/50/50", "a/b/c", "-10/60/50"])
def test_shares_that_do_not_fit_are_refused(folder, tmp_path, capsys, text):
    with pytest.raises(SystemExit):
        prepare(folder, tmp_path / "DST", f"--split-by={text}")
    assert "--split-by" in capsys.readouterr().err


def test_a_store_without_splits_says_how_to_draw_them_and_keeps_its_audio(folder, tmp_path, capsys):
    store = tmp_path / "DST"
    assert prepare(folder, store) == 0
    with pytest.raises(StoreError, match="prepare folder --split-by 80/10/10, run again on the same store"):
        AudioStore(store).select("train")
    before = AudioStore(store).fingerprint, (store / "audio.i16").stat().st_mtime_ns
    drawn = ("--split-by", "60/20/20", "--split-unit", "track", "--seed", "3")
    assert prepare(folder, store, *drawn) == 0
    assert (AudioStore(store).fingerprint, (store / "audio.i16").stat().st_mtime_ns) == before
    assert {len(AudioStore(store).select(split)) > 0 for split in ("train", "valid", "test")} == {True}
    assert "split 60/20/20 by track, seed 3: 18 units drawn; tracks: train 11, valid 4, test 3" in (
        capsys.readouterr().out
    )
