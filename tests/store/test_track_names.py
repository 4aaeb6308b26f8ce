"""Which track a path of a list means."""

from pathlib import Path

import pytest

from s3prl_pemr.store.index import StoreError
from s3prl_pemr.store.track_names import likely_roots, match_tracks, relative_to_root, roots_of

LIST = Path("list.tsv")
NFC, NFD = "Beyonc\u00e9/D\u00e9j\u00e0 Vu.mp3", "Beyonce\u0301/De\u0301ja\u0300 Vu.mp3"


@pytest.mark.parametrize(
    ("written", "track"),
    [
        (NFC, NFD),
        (NFD, NFC),
        ("./a/b.wav", "a/b.wav"),
        ("a\\b.wav", "a/b.wav"),
        (".\\a\\b.wav", "a/b.wav"),
        ("a//b.wav", "a/b.wav"),
        ("x/../a/b.wav", "a/b.wav"),
        ("/music/mine/a/b.wav", "a/b.wav"),
        ("/link/a/b.wav", "a/b.wav"),
        (f"/music/mine/{NFC}", NFD),
        ("/music/mine\\a\\b.wav", "a/b.wav"),
    ],
)
def test_one_track_in_another_spelling(written, track):
    found = match_tracks(LIST, [written, "c.wav"], [track, "c.wav", "d.wav"], ["/music/mine", "/link"])
    assert found.tracks == {written: track, "c.wav": "c.wav"}
    assert (found.respelt, found.missing) == ([written], [])
    (line,) = found.remark(LIST)
    assert line.startswith("1 of 2 paths of list.tsv that were found are spelt otherwise than the files")


@pytest.mark.parametrize(
    "written", ["/elsewhere/a/b.wav", "/music/mine2/a/b.wav", "../a/b.wav", "b.wav", "A/b.wav", "a\\b", "/"]
)
def test_what_is_no_spelling_is_missing(written):
    found = match_tracks(LIST, [written], ["a/b.wav"], ["/music/mine"])
    assert (found.tracks, found.respelt, found.missing) == ({}, [], [written])
    assert found.remark(LIST) == []


def test_the_very_name_comes_first():
    found = match_tracks(LIST, [NFC, "a\\b.wav", NFD], [NFD, NFC, "a\\b.wav", "a/b.wav"])
    assert found.tracks == {NFC: NFC, NFD: NFD, "a\\b.wav": "a\\b.wav"}
    assert found.respelt == []


@pytest.mark.parametrize(
    ("written", "tracks", "message"),
    [
        # e with two marks, of which the files have one composed each
        (["\u1ec7.mp3"], ["\u1eb9\u0302.mp3", "e\u0323\u0302.mp3"], "list.tsv: \u1ec7.mp3 can be 2 files"),
        ([NFC, NFD], [NFD], f"list.tsv: {NFC} and {NFD} are one file in two spellings; leave one out"),
        (["a/b.wav", "a\\b.wav"], ["a/b.wav"], r"list.tsv: a/b.wav and a\\b.wav are one file"),
    ],
)
def test_what_is_not_unique_is_refused_by_name(written, tracks, message):
    with pytest.raises(StoreError) as caught:
        match_tracks(LIST, written, tracks)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_the_folder_that_absolute_paths_lie_below():
    tracks = ["a/x.wav", "x.wav", "b/y.wav", NFD]
    assert likely_roots(["/m/n/a/x.wav", "/m/n/b/y.wav", "b/y.wav"], tracks) == ["/m/n"]
    assert likely_roots(["D:\\m\\b\\y.wav"], tracks) == ["D:/m"]
    assert likely_roots(["/b/y.wav"], tracks) == ["/"]
    assert likely_roots([f"/m/{NFC}"], tracks) == ["/m"]
    assert likely_roots(["/m/z.wav", "b/y.wav"], tracks) == []
    both = likely_roots(["/m/a/x.wav"], tracks)
    assert sorted(both) == ["/m", "/m/a"]
    with pytest.raises(StoreError, match="/m/a/x.wav can be 2 files"):
        match_tracks(LIST, ["/m/a/x.wav"], tracks, both)
    assert match_tracks(LIST, ["D:\\m\\b\\y.wav"], tracks, ["D:/m"]).tracks == {"D:\\m\\b\\y.wav": "b/y.wav"}
    assert match_tracks(LIST, ["/b/y.wav"], tracks, ["/"]).tracks == {"/b/y.wav": "b/y.wav"}


def test_lines_of_a_list_become_relative(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    roots = roots_of(tmp_path / "link")
    assert roots == [f"{tmp_path}/link", f"{tmp_path}/real"]
    assert relative_to_root(f"{tmp_path}/real/song/x", roots) == "song/x"
    assert relative_to_root("song\\x", roots) == "song/x"
    assert relative_to_root("./song/AC\\DC", roots) == "song/AC\\DC"
    assert relative_to_root("/other/song/x", roots) == "/other/song/x"
