"""`prepare discogs-vi` on a small imitation of Discogs-VI-YT."""

import json

import pytest
import soundfile
from prepare_fixtures import error_line, noise

from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.store import AudioStore

LISTS = {
    "train": {"c1": ["aaaaaaaaaa1", "-aaaaaaaaa2", "aaaaaaaa_a3"], "c2": ["bbbbbbbbbb1", "bbbbbbbbbb2"]},
    "val": {"c3": ["cccccccccc1", "cccccccccc2"]},
    "test": {"c4": ["dddddddddd1", "dddddddddd2"], "c5": ["dddddddddd2", "eeeeeeeeee1"]},
}
# c2 loses all versions but one; one file is as yt-dlp names it
THERE = (
    *("aa/aaaaaaaaaa1.flac", "-a/-aaaaaaaaa2.flac", "bb/bbbbbbbbbb1.flac", "A song [cccccccccc1].flac"),
    *("cc/cccccccccc2.flac", "dd/dddddddddd1.flac", "dd/dddddddddd2.flac", "ee/eeeeeeeeee1.flac"),
)


def write_lists(folder, lists=LISTS, release="Discogs-VI-YT-20240701"):
    folder.mkdir(parents=True, exist_ok=True)
    for ending, works in lists.items():
        cliques = {
            work: [{"version_id": f"v{i}", "track_title": "T", "youtube_id": i} for i in ids]
            for work, ids in works.items()
        }
        (folder / f"{release}-light.json.{ending}").write_text(json.dumps(cliques))


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "dvi"
    write_lists(root / "main")
    for number, name in enumerate(THERE):
        path = root / "audio" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise(0.2, number), 22_050)
    (root / "audio/aa/aaaaaaaaaa1.meta").write_text("{}")  # what the authors' script leaves beside it
    return root


def run(root, *options, store="STORE"):
    return main(["discogs-vi", str(root), str(root.parent / store), "--jobs", "1", *map(str, options)])


def test_the_official_splits_as_far_as_they_are_there(root, capsys):
    soundfile.write(root / "audio" / "zzzzzzzzzz9.flac", noise(0.2), 22_050)
    assert run(root) == 0
    store = AudioStore(root.parent / "STORE")
    assert list(zip(store.tracks, store.splits, [label for (label,) in store.labels], strict=True)) == [
        ("aaaaaaaaaa1", "train", "c1"),
        ("-aaaaaaaaa2", "train", "c1"),
        ("cccccccccc1", "valid", "c3"),
        ("cccccccccc2", "valid", "c3"),
        ("dddddddddd1", "test", "c4"),
        ("dddddddddd2", "test", "c4"),
        ("dddddddddd2@c5", "test", "c5"),
        ("eeeeeeeeee1", "test", "c5"),
    ]
    out = capsys.readouterr().out
    assert "train: 1 of 2 works (50.0 %), 0 of them whole, and 2 of 5 versions (40.0 %) are kept" in out
    assert "test: 2 of 2 works (100.0 %), 2 of them whole, and 4 of 4 versions (100.0 %) are kept" in out
    assert "1 ids are listed in more than one work and stored for each, as ID@WORK: dddddddddd2" in out
    assert "left out, no id of the lists: 1 audio files of other names were seen, for instance zzzzz" in out
    assert (
        "these are not the lists of Discogs-VI-YT-20240701: train 2 works of 5 versions, valid 1 wor" in out
    )
    assert "splits: train 2 of 5, valid 2 of 2, test 4 of 4" in out
    assert "more than one split" not in out
    rows = (store.path / "left_out.tsv").read_text().splitlines()
    assert rows == [
        "split\twork\tid\twhy",
        "train\tc1\taaaaaaaa_a3\tno file",
        "train\tc2\tbbbbbbbbbb1\tno other version of its work has a file",
        "train\tc2\tbbbbbbbbbb2\tno file",
    ]
    name = json.loads((store.path / "dataset.json").read_text())
    assert name == {"name": "discogs_vi_yt", "split": "Discogs-VI-YT-20240701, 8 of 11 versions found"}


def test_audio_that_comes_later_brings_its_work_back(root, capsys):
    assert run(root) == 0
    soundfile.write(root / "audio" / "bbbbbbbbbb2.ogg", noise(0.3), 22_050)
    assert run(root) == 0
    assert {"bbbbbbbbbb1", "bbbbbbbbbb2"} < set(AudioStore(root.parent / "STORE").tracks)
    assert "train: 2 of 2 works (100.0 %), 1 of them whole" in capsys.readouterr().out
    assert len((root.parent / "STORE/left_out.tsv").read_text().splitlines()) == 2


def test_a_lone_version_may_be_kept(root, capsys):
    assert run(root, "--lone", "keep") == 0
    assert "bbbbbbbbbb1" in AudioStore(root.parent / "STORE").tracks
    assert "1 works have lost all versions but one and are no queries" in capsys.readouterr().out


def test_an_id_in_two_splits_is_warned_of(root, capsys):
    write_lists(root / "main", {**LISTS, "val": {"c3": ["cccccccccc1", "aaaaaaaaaa1"]}})
    assert run(root) == 0
    assert "WARNING: 1 ids are in more than one split: aaaaaaaaaa1" in capsys.readouterr().out
    assert "aaaaaaaaaa1@c3" in AudioStore(root.parent / "STORE").tracks


def test_what_is_wrong_is_one_line(root, capsys):
    assert run(root, "--audio", root / "nowhere") == 1
    assert "nowhere: not a folder; say where the audio lies with --audio FOLDER" in error_line(capsys)
    (root / "other").mkdir()
    (root / "other/song.mp3").touch()
    assert run(root, "--audio", root / "other") == 1
    assert "none of the 10 listed tracks is there, by an id as a name; 1 audio files of other" in error_line(
        capsys
    )
    write_lists(root / "main", {"val": LISTS["val"]}, "Discogs-VI-YT-20250701")
    assert run(root) == 1
    err = capsys.readouterr().err
    assert "needs one Discogs-VI-YT-*-light.json.val; there are 2: Discogs-VI-YT-20240701" in err
    assert run(root.parent) == 1
    assert "light.json.train; there is none (main.zip of Discogs-VI has it)" in error_line(capsys)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "light.json.val: damaged, or not the file of this name"),
        ('["c3"]', "light.json.val: damaged, or not the file of this name"),
        ('{"c3": [{"version_id": "v"}]}', "not the file of this name ('youtube_id')"),
        ('{"c3": [{"youtube_id": 7}]}', "light.json.val: 7 is no id"),
        ('{"c3": [{"youtube_id": "../x"}]}', "light.json.val: '../x' is no id"),
        ('{"c3": [{"youtube_id": "x"}, {"youtube_id": "x"}]}', "lists x twice for the work c3"),
        ("{}", "light.json.val: lists nothing"),
    ],
)
def test_a_wrong_list_is_one_line(root, capsys, text, message):
    (root / "main/Discogs-VI-YT-20240701-light.json.val").write_text(text)
    assert run(root) == 1
    assert message in error_line(capsys)
    assert not (root.parent / "STORE").exists()
