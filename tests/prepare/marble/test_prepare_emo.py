"""`prepare emo` on a small data set in the layout of Emotion in Music."""

import pytest
from marble_layouts import make_emo
from prepare_fixtures import error_line

from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.prepare.datasets.marble.emo import list_emo
from s3prl_pemr.prepare.datasets.marble.split_by_artist import plain_name, split_of_name, splits_of_songs
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.groups import read_groups
from s3prl_pemr.store.tag_list import read_tags


def run(root):
    return main(["emo", str(root), str(root.parent / "STORE"), "--jobs", "1"])


def test_ratings_sets_and_artists(tmp_path, capsys):
    root = make_emo(tmp_path / "emo")
    (root / "clips_45seconds" / "3.mp3").unlink()
    assert run(root) == 0
    store = AudioStore(tmp_path / "STORE")
    assert store.tracks[:3] == ["1", "2", "4"] and store.tracks[-1] == "24"
    assert store.labels[0] == ["arousal=2.167", "valence=6.833"]
    assert store.splits[-6:] == ["test"] * 6 and set(store.splits[:-6]) == {"train", "valid"}
    assert read_tags(store.path) == ["arousal", "valence"]
    groups = read_groups(store.path)
    assert groups["1"].artist == "Artist b" and groups["1"].song == "1: Title 1"
    split_of = dict(zip(store.tracks, store.splits, strict=True))
    for artist in {groups[track].artist for track in store.tracks}:
        own = {split_of[track] for track in store.tracks if groups[track].artist == artist} - {"test"}
        assert len(own) == 1
    out = capsys.readouterr().out
    assert "1 listed files are not there" in out
    assert "of the published one: {'train': 504, 'valid': 115, 'test': 125}" in out


def test_tables_in_a_folder_of_their_own(tmp_path):
    root = make_emo(tmp_path / "emo")
    (root / "annotations").mkdir()
    for name in ("songs_info.csv", "static_annotations.csv"):
        (root / name).rename(root / "annotations" / name)
    assert len(list_emo(root).sources) == 24


def test_the_split_of_an_artist():
    """By sha1sum and bc, modulo 10: 2, 6, 8, 9; valid from 8 on."""
    assert plain_name("  Björk & The  CATS 2 ") == "bjrk the cats"
    assert [split_of_name(name, 8, 2) for name in "acdf"] == ["train", "train", "valid", "valid"]


def test_who_works_with_a_valid_artist_is_valid():
    names = [f"artist {number}" for number in range(99)]
    valid = next(name for name in names if split_of_name(name, 100, 16) == "valid")
    a, b, c, d = [name for name in names if split_of_name(name, 100, 16) == "train"][:4]
    # the first pass reaches a alone, the second b
    assert splits_of_songs([[c, d], [b, c], [a, b], [valid, a]], 100, 16) == ["train"] + ["valid"] * 3
    assert splits_of_songs([[valid, a], [a, b], [b, c]], 100, 16) == ["valid"] * 3
    assert splits_of_songs([[d]], 100, 16) == ["train"]


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("songs_info.csv", "Mediaeval 2013 set", "set", "has no column 'Mediaeval 2013 set'"),
        ("songs_info.csv", "evaluation", "other", "song 19 is of the set 'other', not of development or"),
        ("songs_info.csv", "\n2,", "\n1,", "line 3 has 1 for the second time"),
        ("static_annotations.csv", "\n2,", "\n99,", "has no rating of song 2"),
        ("static_annotations.csv", "2.167", "high", "mean_arousal of song 1 is 'high', no number"),
        ("static_annotations.csv", "2.167", "nan", "mean_arousal of song 1 is 'nan', no number"),
    ],
)  # fmt: skip
def test_a_malformed_table_is_one_line(tmp_path, capsys, name, old, new, message):
    root = make_emo(tmp_path / "emo")
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new))
    assert run(root) == 1
    assert f"{root / name}: {message}" in error_line(capsys)


def test_another_folder_is_one_line(tmp_path, capsys):
    assert run(tmp_path) == 1
    assert "songs_info.csv: cannot be read (No such file or directory)" in error_line(capsys)
