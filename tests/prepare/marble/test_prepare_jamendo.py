"""`prepare jamendo` on a few tracks in MTG-Jamendo's layout."""

import pytest
from marble_layouts import JAMENDO_HEADER, make_jamendo, tone, write
from prepare_fixtures import error_line

from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.dataset_name import read_dataset_name
from s3prl_pemr.store.groups import read_groups
from s3prl_pemr.store.tag_list import read_tags

TRACKS = ["01/101.mp3", "02/102.mp3", "03/103.mp3", "03/104.mp3", "04/104.mp3", "05/205.mp3"]
LISTS = "mtg-jamendo-dataset/data/splits/split-0"


def run(root, *options):
    store = root.parent / "STORE"
    return main(["jamendo", str(root), str(store), "--jobs", "1", "--subset", "moodtheme", *options])


@pytest.mark.parametrize("low", [False, True])
def test_the_tracks_of_the_lists(tmp_path, low, capsys):
    root = make_jamendo(tmp_path / "mtg", low)
    write(root / "09" / "999.mp3", tone(100))
    assert run(root) == 0
    store = AudioStore(tmp_path / "STORE")
    assert store.tracks == TRACKS
    assert store.splits == [split for split in ("train", "valid", "test") for _ in range(2)]
    assert store.labels[0] == ["mood/theme---dark", "mood/theme---sad"]
    assert read_tags(store.path) == ["mood/theme---dark", "mood/theme---sad"]
    assert read_groups(store.path)["01/101.mp3"].artist == "artist_train"
    assert str(read_dataset_name(store.path)) == "mtg_jamendo, split moodtheme, split-0"
    out = capsys.readouterr().out
    assert "1 audio files are in no list of moodtheme and left out: 09/999.mp3" in out
    assert "split-0 has {'train': 9949, 'valid': 3802, 'test': 4231} and 56" in out


def test_lists_elsewhere(tmp_path):
    root = make_jamendo(tmp_path / "mtg")
    (root / LISTS).rename(tmp_path / "split-3")
    assert run(root, "--lists", str(tmp_path / "split-3")) == 0
    assert str(read_dataset_name(tmp_path / "STORE")) == "mtg_jamendo, split moodtheme, split-3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TRACK_ID\tPATH\r\n", "its first line is not TRACK_ID<TAB>ARTIST_ID"),
        (JAMENDO_HEADER + "t\ta\tb\t01/1.mp3\t3.0\r\n", "line 2 should be TRACK_ID"),
        (JAMENDO_HEADER + "t\ta\tb\t../1.mp3\t3.0\tx\r\n", "line 2 should be TRACK_ID"),
        (JAMENDO_HEADER + "t\ta\tb\t1/1.mp3\t3.0\tx\r\n" * 2, "line 3 lists 1/1.mp3 for the second time"),
        (JAMENDO_HEADER + "t\ta\tb\t01/101.mp3\t3.0\tx\r\n", "01/101.mp3 is in another list too"),
    ],
)
def test_a_malformed_list_is_one_line(tmp_path, capsys, text, message):
    root = make_jamendo(tmp_path / "mtg")
    path = root / LISTS / "autotagging_moodtheme-test.tsv"
    path.write_text(text, newline="")
    assert run(root) == 1
    assert f"{path}: {message}" in error_line(capsys)


def test_no_lists_or_a_track_in_two_qualities_are_one_line(tmp_path, capsys):
    root = make_jamendo(tmp_path / "mtg")
    write(root / "audio-low" / "01" / "101.low.mp3", tone(100))
    assert run(root) == 1
    assert "01/101 is there twice" in error_line(capsys)
    assert run(root, "--subset", "genre") == 1
    assert "there is no autotagging_genre-train.tsv in" in error_line(capsys)
