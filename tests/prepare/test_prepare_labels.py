"""`prepare folder --labels`: tables of labels and splits."""

import shutil
from pathlib import Path

import prepare_fixtures
import pytest
from prepare_fixtures import ODD_NAME, prepare

from s3prl_pemr.prepare.datasets.labels import read_labels
from s3prl_pemr.store import AudioStore

folder, finished, own_folder = prepare_fixtures.folder, prepare_fixtures.finished, prepare_fixtures.own_folder


def test_labels_from_a_table(own_folder, tmp_path, capsys):
    table = tmp_path / "labels.tsv"
    table.write_text(
        f"path\tlabels\njazz/live/0.wav\tjazz|live music\ttest\n./rock/a.mp3\trock\n{ODD_NAME}\t\tvalid\n"
        "\nunknown.wav\tpop\n../outside.wav\tpop\n",
        encoding="utf-8",
    )
    assert prepare(own_folder, tmp_path / "DST", "--labels", str(table), "--split", "train") == 0
    store = AudioStore(tmp_path / "DST")
    found = {
        name: (labels, split)
        for name, labels, split in zip(store.tracks, store.labels, store.splits, strict=True)
    }
    assert found["jazz/live/0.wav"] == (["jazz", "live music"], "test")
    assert found["rock/a.mp3"] == (["rock"], "train")
    assert found[ODD_NAME] == ([], "valid")
    assert found["loud.wav"] == ([], "train")
    out = capsys.readouterr().out
    assert "2 paths of" in out and "unknown.wav | ../outside.wav" in out
    assert "16 tracks have no label" in out  # of 18, with those that are unreadable
    assert "splits: test 1, train 10, valid 1" in out


def test_new_labels_leave_the_audio_alone(folder, finished, tmp_path, capsys):
    destination = Path(shutil.copytree(finished, tmp_path / "DST"))
    time_of_audio = (destination / "audio.i16").stat().st_mtime_ns
    assert prepare(folder, destination, "--label-by-folder", "--split", "train") == 0
    store = AudioStore(destination)
    assert store.labels == [["jazz"]] * 8 + [[], ["rock"], ["rock"], []]
    assert store.splits == ["train"] * 12
    assert (destination / "audio.i16").stat().st_mtime_ns == time_of_audio
    assert "split or labels of 12 stored tracks were brought up to date" in capsys.readouterr().out
    assert store.fingerprint == AudioStore(finished).fingerprint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a.wav\n", "line 1 has 1 columns; it should be path<TAB>label|label"),
        ("a.wav\tx\ty\tz\n", "line 1 has 4 columns"),
        ("a.wav\tx\n./a.wav\ty\n", "line 2 lists a.wav for the second time"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_a_wrong_table_stops_before_anything_is_read(folder, tmp_path, capsys, content, message):
    table = tmp_path / "labels.tsv"
    if content is not None:
        table.write_text(content)
    assert prepare(folder, tmp_path / "DST", "--labels", str(table)) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "DST").exists()


def test_a_list_of_works_and_versions_names_no_splits(tmp_path):
    table = tmp_path / "list.tsv"
    table.write_text("path\twork\tversion\na.mp3\t17\t1\nb.mp3\t17|2\t2\n")
    assert read_labels(table) == {"a.mp3": (("17",), None), "b.mp3": (("17|2",), None)}
    table.write_text("path\twork\tsplit\na.mp3\t17\ttest\n")
    assert read_labels(table) == {"a.mp3": (("17",), "test")}
