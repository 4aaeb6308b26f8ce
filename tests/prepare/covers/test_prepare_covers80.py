"""`prepare covers80` on a small data set in Covers80's layout."""

import shutil

import pytest
import soundfile
from prepare_fixtures import error_line, noise

from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.prepare.datasets.covers.covers80 import list_covers80
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.dataset_name import DatasetName, read_dataset_name
from s3prl_pemr.store.index import read_unreadable

LIST1 = ("Let_It_Be/a+X+01-Let_It_Be", "It's_Me/c+X_(live)+02-It's_Me")
LIST2 = ("Let_It_Be/b+Y+01-Let_It_Be", "It's_Me/d+Y+02-It's_Me")
EXTRA = "Let_It_Be/e+Z+09-Let_It_Be"


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "covers80" / "coversongs" / "covers32k"
    for number, track in enumerate((*LIST1, *LIST2, EXTRA)):
        (folder / track).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{track}.mp3", noise(0.5, number), 22_050)
    (folder / "Let_It_Be" / "._x.mp3").write_bytes(b"AppleDouble")
    (folder / "list1.list").write_text("\n".join(LIST1) + "\n")
    (folder / "list2.list").write_text("\n".join(LIST2) + "\n")
    return tmp_path / "covers80"


def run(root, *options):
    return main(["covers80", str(root), str(root.parent / "STORE"), "--jobs", "1", *options])


def test_the_tracks_of_the_two_lists(root, capsys):
    assert run(root) == 0
    store = AudioStore(root.parent / "STORE")
    assert store.tracks == [*LIST1, *LIST2]
    assert store.splits == ["test"] * 4
    assert store.labels == [["Let_It_Be"], ["It's_Me"]] * 2
    out = capsys.readouterr().out
    assert f"1 mp3 files are in neither list and left out (--tracks all takes them): {EXTRA}" in out
    assert "4 tracks, not the 160 of Covers80" in out
    assert "splits: test 4 of 4" in out and "WARNING" not in out
    assert read_dataset_name(store.path) == DatasetName("covers80", "4 tracks (list1 and list2)")


def test_all_tracks(root):
    assert run(root, "--tracks", "all") == 0
    store = AudioStore(root.parent / "STORE")
    assert store.tracks == sorted([*LIST1, *LIST2, EXTRA])
    assert sorted(label for (label,) in store.labels) == ["It's_Me"] * 2 + ["Let_It_Be"] * 3
    assert str(read_dataset_name(store.path)) == "covers80, split 5 tracks (all)"


@pytest.mark.parametrize("place", ["covers32k", "coversongs", "coversongs/covers32k"])
def test_where_the_songs_and_the_lists_lie(root, place):
    folder = root / "coversongs/covers32k"
    shutil.move(folder / "list1.list", folder.parent / "list1.txt")  # the web page's name
    shutil.move(folder / "list2.list", folder / "list2.txt")
    if place == "covers32k":
        shutil.move(folder, root / place)
        shutil.move(root / "coversongs/list1.txt", root)
        place = "."
    assert [source.track for source in list_covers80(root / place).sources] == [*LIST1, *LIST2]


def test_a_listed_file_that_is_missing_is_reported(root, capsys):
    (root / f"coversongs/covers32k/{LIST2[0]}.mp3").unlink()
    (root / f"coversongs/covers32k/{EXTRA}.mp3").write_bytes(b"")
    assert run(root) == 0
    out = capsys.readouterr().out
    assert "WARNING: 1 listed files are not there: test 1; by their folders: Let_It_Be 1" in out
    assert "splits: test 3 of 4" in out
    (row,), _ = read_unreadable(root.parent / "STORE" / "unreadable.tsv")
    assert (row.track, row.reason) == (LIST2[0], "no such file")


def test_a_song_without_a_cover_is_told(root, capsys):
    (root / "coversongs/covers32k/list2.list").write_text(LIST2[0])
    assert run(root) == 0
    assert "1 songs have one version only, and no cover: It's_Me" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "list2.list: the list cannot be read (No such file or directory)"),
        ("\n", "list2.list: the list is empty"),
        ("Let_It_Be\n", "list2.list: line 1 is 'Let_It_Be'; it should be SONG/FILE, without a suffix"),
        ("../secret\n", "list2.list: line 1 is '../secret'; it should be SONG/FILE"),
        (f"{LIST2[0]}\n{LIST2[0]}.mp3\n", f"list2.list: line 2 lists {LIST2[0]}, as line 1 does"),
        (f"{LIST1[1]}\n", f"list2.list: lists {LIST1[1]}, and so does "),
    ],
)
def test_wrong_lists_are_one_line(root, capsys, text, message):
    path = root / "coversongs/covers32k/list2.list"
    path.unlink() if text is None else path.write_text(text)
    assert run(root) == 1
    assert message in error_line(capsys)


def test_no_audio_is_one_line(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty") == 1
    assert "there is no SONG/*.mp3 here, nor in coversongs/covers32k" in error_line(capsys)
