"""`prepare shs100k` on a small data set in SHS100K's layout."""

import json
import shutil

import pytest
import soundfile
from prepare_fixtures import error_line, noise

from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.prepare.datasets.covers.shs100k_lists import read_lists
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.index import read_unreadable

LISTS = {
    "SHS100K-TRAIN": "0\t0\n0\t1\n1\t0\n1\t1\n1\t2\n7\t0\n7\t1\n7\t2\n",
    "SHS100K-VAL": "7\t3\n7\t4\n",
    "SHS100K-TEST": "12_0\n12_1\n",  # TPPNet's way
}


def run(root, *options, store="STORE"):
    return main(["shs100k", str(root), str(root.parent / store), "--jobs", "1", *map(str, options)])


@pytest.fixture
def root(tmp_path):
    """Audio of every track but 1_2."""
    root = tmp_path / "shs"
    for name, text in LISTS.items():
        (root / "audio" / "0").mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for track in ("0_0", "0_1", "7_0", "7_1", "7_2", "7_3", "7_4", "12_0", "12_1"):
        soundfile.write(root / "audio" / f"{track}.flac", noise(0.2), 22_050)
    for track in ("1_0", "1_1"):
        soundfile.write(root / "audio" / "0" / f"{track}.mp3", noise(0.2), 22_050)
    return root


def splits_of(path):
    store = AudioStore(path)
    return dict(zip(store.tracks, store.splits, strict=True))


def test_tracks_works_and_missing_audio(root, capsys):
    (root / "audio/0_0.info.json").write_text("{}")  # what download programs leave beside the audio
    (root / "audio/0_0.json").write_text("{}")
    assert run(root, "--min-versions", 2) == 0
    store = AudioStore(root.parent / "STORE")
    assert store.tracks == ["0_0", "0_1", "1_0", "1_1", "7_0", "7_1", "7_2", "7_3", "7_4", "12_0", "12_1"]
    assert store.splits == ["train"] * 7 + ["valid"] * 2 + ["test"] * 2
    assert [label for (label,) in store.labels] == ["0", "0", "1", "1", "7", "7", "7", "7", "7", "12", "12"]
    out = capsys.readouterr().out
    assert "chosen: train 8 tracks of 3 works, valid 2 tracks of 1 works, test 2 tracks of 1 works" in out
    assert "1 works are in more than one split, and kept in each, see --straddling: 7 (train + valid)" in out
    assert "WARNING: 1 listed files are not there: train 1" in out
    assert "splits: train 7 of 8, valid 2 of 2, test 2 of 2" in out
    (row,), _ = read_unreadable(store.path / "unreadable.tsv")
    assert (row.track, row.path, row.reason) == ("1_2", "1_2.*", "no such file")
    name = json.loads((store.path / "dataset.json").read_text())
    assert name == {"name": "shs100k", "split": "own lists, min-versions 2, straddling keep"}


def test_audio_that_comes_later_is_added(root, capsys):
    assert run(root, "--min-versions", 2) == 0
    soundfile.write(root / "audio" / "1_2.ogg", noise(0.2), 22_050)
    assert run(root, "--min-versions", 2) == 0
    assert "splits: train 8 of 8, valid 2 of 2, test 2 of 2" in capsys.readouterr().out
    assert AudioStore(root.parent / "STORE").tracks[-1] == "1_2"


def test_the_lists_of_what_is_stored_give_the_same_store(root):
    assert run(root, "--min-versions", 2) == 0
    lists = root.parent / "STORE" / "lists"
    assert (lists / "SHS100K-TRAIN").read_text() == "0\t0\n0\t1\n1\t0\n1\t1\n7\t0\n7\t1\n7\t2\n"
    assert run(root, "--lists", lists, "--min-versions", 1, store="AGAIN") == 0
    assert splits_of(root.parent / "AGAIN") == splits_of(root.parent / "STORE")
    assert AudioStore(root.parent / "AGAIN").fingerprint == AudioStore(root.parent / "STORE").fingerprint


def test_training_works_with_few_versions_are_left_out(root, capsys):
    assert run(root, "--min-versions", 3) == 0
    assert set(splits_of(root.parent / "STORE")) == {
        "1_0",
        "1_1",
        "7_0",
        "7_1",
        "7_2",
        "7_3",
        "7_4",
        "12_0",
        "12_1",
    }
    assert "2 training tracks are left out: their works have fewer than 3 versions" in capsys.readouterr().out
    assert run(root, store="SIX") == 0
    assert "WARNING: no training track is left; a lower --min-versions keeps some" in capsys.readouterr().out


def test_straddling_works_are_dropped_from_all_but_their_last_split(root, capsys):
    assert run(root, "--min-versions", 2, "--straddling", "drop") == 0
    assert {t: s for t, s in splits_of(root.parent / "STORE").items() if t[0] == "7"} == {
        "7_3": "valid",
        "7_4": "valid",
    }
    assert "1 works are in more than one split, and kept in the last one only: 7" in capsys.readouterr().out


def test_a_track_in_two_splits_is_stored_in_both(root, capsys):
    """As 5982_0 of SHS100K2 is, which is the last work of TRAIN and the first of VAL."""
    (root / "SHS100K-VAL").write_text("7\t2\n7\t3\n7\t4\n")
    assert run(root, "--min-versions", 3) == 0
    store = AudioStore(root.parent / "STORE")
    first, second = store.tracks.index("7_2@train"), store.tracks.index("7_2")
    assert (store.splits[first], store.splits[second]) == ("train", "valid")
    assert store.labels[first] == store.labels[second] == ["7"]
    assert (store.read(first) == store.read(second)).all()
    assert "splits: train 5 of 6, valid 3 of 3, test 2 of 2" in capsys.readouterr().out
    assert (store.path / "lists/SHS100K-TRAIN").read_text().endswith("7\t2\n")
    assert run(root, "--min-versions", 3, "--straddling", "drop", store="DROPPED") == 0
    assert "7_2@train" not in AudioStore(root.parent / "DROPPED").tracks


def test_audio_and_lists_elsewhere(root, capsys):
    shutil.move(root / "audio", root.parent / "music")
    assert run(root) == 1
    assert "audio: not a folder; say where the audio lies with --audio FOLDER" in error_line(capsys)
    (root.parent / "lists").mkdir()
    for name in LISTS:
        shutil.move(root / name, root.parent / "lists")
    (root.parent / "lists/SHS100K-TRAIN").rename(root.parent / "lists/SHS100K-TRAIN_6")
    (root.parent / "lists/SHS100K-VAL").unlink()
    assert run(root) == 1
    assert "there is no SHS100K-TRAIN, SHS100K-VAL, SHS100K-TEST here; say where" in error_line(capsys)
    assert (
        run(root, "--lists", root.parent / "lists", "--audio", root.parent / "music", "--min-versions", 1)
        == 0
    )
    out = capsys.readouterr().out
    assert "has no list of the split valid" in out and "splits: train 7 of 8, test 2 of 2" in out
    lists = root.parent / "STORE" / "lists"
    assert sorted(path.name for path in lists.iterdir()) == ["SHS100K-TEST", "SHS100K-TRAIN"]


def test_several_files_of_a_track(root, capsys):
    (root / "audio/0_0.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    (root / "audio/1_2.txt").write_text("gone")
    assert run(root, "--min-versions", 2) == 0
    out = capsys.readouterr().out
    assert "1 tracks have several audio files; one is used: 0_0" in out
    assert "WARNING: 1 files are there but unreadable; get them again: 1_2.txt: not audio" in out
    assert "0_0" in AudioStore(root.parent / "STORE").tracks


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "TRAIN",
            "0\t0\n0\n",
            "SHS100K-TRAIN: line 2 is '0'; it should be two whole numbers, SET<TAB>VER or SET_VER",
        ),
        ("TRAIN", "0\t0\tx\n", "SHS100K-TRAIN: line 1 is '0\\\\t0\\\\tx'; it should be two whole numbers"),
        ("VAL", "7\tthree\n", "SHS100K-VAL: line 1 is '7\\\\tthree'; it should be two whole numbers"),
        ("VAL", "7.0\t3\n", "it should be two whole numbers"),
        ("VAL", "-7\t3\n", "it should be two whole numbers"),
        ("VAL", "7\t3\n7_3\n", "SHS100K-VAL: line 2 lists 7_3, as line 1 does"),
        ("TEST", "", "SHS100K-TEST: the list is empty"),
    ],
)
def test_wrong_lists_are_one_line(root, capsys, name, text, message):
    (root / f"SHS100K-{name}").write_text(text)
    assert run(root) == 1
    assert message in error_line(capsys)
    assert not (root.parent / "STORE").exists()


def test_a_list_with_windows_line_ends_and_a_mark(tmp_path):
    (tmp_path / "SHS100K-TEST").write_bytes(b"\xef\xbb\xbf3\t0\r\n3\t1\r\n\r\n")
    assert read_lists(tmp_path) == {"train": [], "valid": [], "test": ["3_0", "3_1"]}
