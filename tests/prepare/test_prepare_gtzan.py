"""`prepare gtzan` on a small data set in GTZAN's layout."""

import csv
import shutil
from collections import Counter

import pytest
import soundfile
from places import SHARED
from prepare_fixtures import error_line, noise

from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.prepare.datasets.gtzan import list_folds, list_named
from s3prl_pemr.prepare.datasets.gtzan_split import FAULT_FILTERED_COUNTS, fault_filtered
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.dataset_name import DatasetName, read_dataset_name
from s3prl_pemr.store.groups import read_groups

REAL = SHARED / "gtzan/fault_filtered.tsv"
TRACKS = {"blues": (0, 12, 29, 61), "jazz": (0, 54, 73), "pop": (21, 22)}  # pop: in no list


def run(root, *options):
    return main(["gtzan", str(root), str(root.parent / "STORE"), "--jobs", "1", *options])


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "gtzan"
    for genre, numbers in TRACKS.items():
        (root / "genres" / genre).mkdir(parents=True)
        for number in numbers:
            suffix = "au" if number == 29 else "wav"
            path = root / "genres" / genre / f"{genre}.{number:05}.{suffix}"
            soundfile.write(path, noise(0.2, number), 22_050)
    (root / "genres/jazz/._jazz.00000.wav").write_bytes(b"AppleDouble")
    return root


def write_lists(folder, **lists):
    for split in ("train", "valid", "test"):
        (folder / f"{split}_filtered.txt").write_text(lists[split])
    return folder


def test_the_fault_filtered_split_is_the_published_one():
    found = fault_filtered()
    assert (
        Counter(split for _, split in found.values())
        == FAULT_FILTERED_COUNTS
        == {"train": 443, "valid": 197, "test": 290}
    )
    test = Counter(genre for genre, split in found.values() if split == "test")
    assert list(test.values()) == [31, 31, 30, 29, 27, 27, 27, 30, 26, 32]  # torchaudio's and jukemir's too
    assert found["jazz.00054"] == ("jazz", "train")


@pytest.mark.skipif(not REAL.exists(), reason="the real list is not here")
def test_the_fault_filtered_split_track_by_track():
    with REAL.open() as file:
        rows = {row["track"]: row["split"] for row in csv.DictReader(file, delimiter="\t")}
    assert {track: split for track, (_, split) in fault_filtered().items()} == rows


def test_fault_filtered(root, capsys):
    assert run(root) == 0
    store = AudioStore(root.parent / "STORE")
    assert list(zip(store.tracks, store.splits, map(tuple, store.labels), strict=True)) == [
        ("blues.00000", "valid", ("blues",)),
        ("blues.00012", "test", ("blues",)),
        ("blues.00029", "train", ("blues",)),
        ("blues.00061", "test", ("blues",)),
        ("jazz.00000", "train", ("jazz",)),
        ("jazz.00054", "train", ("jazz",)),
        ("jazz.00073", "test", ("jazz",)),
    ]
    out = capsys.readouterr().out
    assert "2 tracks are in no list and left out: pop.00021 | pop.00022" in out
    assert (
        "WARNING: 923 listed files are not there: test 287, train 440, valid 196; by their folders: blues 96,"
        in out
    )
    assert "splits: train 3 of 443, valid 1 of 197, test 3 of 290" in out
    assert read_dataset_name(store.path) == DatasetName("gtzan", "fault-filtered")
    assert read_groups(store.path) is None


@pytest.mark.parametrize("place", ["", "genres_original"])
def test_where_the_genres_lie(root, place):
    (root / "genres").rename(root / "moved")
    new = root if not place else root / place
    shutil.move(root / "moved", root.parent / "moved")
    shutil.copytree(root.parent / "moved", new, dirs_exist_ok=True)
    assert sum(source.path.exists() for source in list_named(root).sources) == 7


def test_the_track_that_is_damaged_in_some_copies(root, capsys):
    (root / "genres/jazz/jazz.00054.wav").write_bytes(b"RIFF\0\0\0\0text")
    (root / "genres/blues/blues.00000.wav").write_text("new damage")
    assert run(root) == 0
    out = capsys.readouterr().out
    assert "known to be damaged in some copies of the data set: genres/jazz/jazz.00054.wav: " in out
    assert (
        "WARNING: 1 files are there but unreadable; get them again: genres/blues/blues.00000.wav: not audio"
        in out
    )


def test_lists_of_the_users_own(root, capsys):
    write_lists(
        root,
        train="pop/pop.00021.wav\njazz/jazz.00000.wav\n\n",
        valid="pop/pop.00022.au\r\n",
        test="jazz/none.wav",
    )
    listing = list_named(root, root)
    assert {source.track: source.split for source in listing.sources} == {
        "jazz.00000": "train", "none": "test", "pop.00021": "train", "pop.00022": "valid"}  # fmt: skip
    assert (
        f"{root} has lists of its own, which are not used: --lists {root} takes them"
        in list_named(root).remarks
    )
    assert run(root, "--lists", str(root)) == 0
    out = capsys.readouterr().out
    assert "splits: train 2 of 2, valid 1 of 1, test 0 of 1" in out and "there is nothing in test" in out
    assert "6 tracks are in no list and left out" in out


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        (
            {"train": "blues.00000.wav"},
            "train_filtered.txt: line 1 is 'blues.00000.wav'; it should be GENRE/NAME.wav",
        ),
        ({"train": "a/x.wav\n../x.wav"}, "train_filtered.txt: line 2 is '../x.wav'; it should be"),
        ({"test": "\n"}, "test_filtered.txt: the list is empty"),
        ({"train": "a/x.wav\na/x.wav"}, "train_filtered.txt: line 2 lists a/x, as line 1 does"),
        ({"valid": "a/1.wav", "test": "a/1.wav"}, "test_filtered.txt: lists a/1, and so does "),
        ({"valid": "a/1.wav", "test": "b/1.wav"}, "the lists have the track 1 in two genres"),
    ],
)
def test_wrong_lists_are_one_line(root, capsys, lists, message):
    write_lists(root, **{"train": "a/0.wav", "valid": "a/8.wav", "test": "a/9.wav", **lists})
    assert run(root, "--lists", str(root)) == 1
    assert message in error_line(capsys)


def test_a_missing_list_is_one_line(root, capsys):
    assert run(root, "--lists", str(root / "genres")) == 1
    assert "train_filtered.txt: the list cannot be read (No such file or directory)" in error_line(capsys)


def test_ten_folds(tmp_path):
    for genre in ("a", "b"):
        (tmp_path / genre).mkdir()
        for number in range(20):
            (tmp_path / genre / f"{genre}.{number:05}.wav").touch()
    folds = [list_folds(tmp_path, fold, shuffle_seed=3) for fold in range(10)]
    tested = []
    for fold, listing in enumerate(folds):
        members = {
            split: {s.track for s in listing.sources if s.split == split} for split in listing.split_counts
        }
        assert listing.split_counts == {"train": 32, "valid": 4, "test": 4}
        assert Counter(track[0] for track in members["test"]) == {"a": 2, "b": 2}
        following = {s.track for s in folds[(fold + 1) % 10].sources if s.split == "test"}
        assert members["valid"] == following
        tested += members["test"]
    assert len(tested) == len(set(tested)) == 40
    assert list_folds(tmp_path, 4, shuffle_seed=3).sources == folds[4].sources
    assert list_folds(tmp_path, 4, shuffle_seed=2).sources != folds[4].sources
    assert folds[4].dataset == DatasetName("gtzan", "random10, fold 4, seed 3")
    assert "40 tracks, and GTZAN has 1000" in folds[0].remarks[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--split", "random10"],
            "10 folds need 10 tracks of every genre; there are fewer of blues, jazz, pop",
        ),
        (["--fold", "1"], "--fold and --seed are of --split random10"),
        (["--split", "random10", "--lists", "."], "--lists is of the fault-filtered split"),
    ],
)
def test_wrong_options_are_one_line(root, capsys, options, message):
    assert run(root, *options) == 1
    assert message in error_line(capsys)


def test_a_seed_or_fold_that_is_none(root, capsys):
    for options, message in ((["--seed", "-1"], "must be 0 or more"), (["--fold", "10"], "invalid choice")):
        with pytest.raises(SystemExit, match="2"):
            run(root, "--split", "random10", *options)
        assert message in capsys.readouterr().err


def test_no_audio_and_the_same_track_twice(root, tmp_path, capsys):
    shutil.copy(root / "genres/blues/blues.00000.wav", root / "genres/blues/blues.00000.au")
    assert run(root) == 1
    assert "1 tracks are there twice, as .wav and .au: blues.00000" in error_line(capsys)
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty") == 1
    assert "there is no GENRE/*.wav or GENRE/*.au here, nor in genres or genres_original" in error_line(
        capsys
    )
