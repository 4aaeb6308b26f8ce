"""`prepare mtat` on a small data set in MagnaTagATune's layout."""

import mtat_fixtures
import pytest
from mtat_fixtures import CLIPS, COLUMNS, run, write_table
from prepare_fixtures import error_line

from s3prl_pemr.prepare.datasets.mtat import list_mtat
from s3prl_pemr.prepare.datasets.mtat_tables import TOP_50
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.tag_list import read_tags

root = mtat_fixtures.root


def test_labels_splits_and_the_order_of_the_tags(root):
    assert run(root) == 0
    store = AudioStore(root.parent / "STORE")
    assert dict(zip(store.tracks, map(tuple, store.labels), strict=True)) == {
        **CLIPS,
        "f/f.mp3": ("no vocals", "guitar"),  # in the order of the columns
    }
    assert store.splits == ["train", "train", "valid", "test", "test"]
    assert read_tags(store.path) == list(COLUMNS)  # fewer than 50: all of them, as they stand


def test_running_again_changes_nothing(root, capsys):
    assert run(root) == 0
    before = {path.name: path.stat().st_mtime_ns for path in (root.parent / "STORE").iterdir()}
    capsys.readouterr()
    assert run(root) == 0
    assert "5 stored, 0 known as unreadable, 0 to do" in capsys.readouterr().out
    after = {path.name: path.stat().st_mtime_ns for path in (root.parent / "STORE").iterdir()}
    before.pop("prepare.lock"), after.pop("prepare.lock")
    assert after == before


def test_missing_broken_and_unlisted_files_are_reported(root, capsys):
    (root / "c/c.mp3").write_bytes(b"")
    (root / "d/d.mp3").unlink()
    (root / "0/extra.mp3").touch()
    (root / "0/._extra.mp3").touch()
    assert run(root) == 0
    out = capsys.readouterr().out
    assert "1 audio files are not in annotations_final.csv and left out: 0/extra.mp3" in out
    assert "2 unreadable, not stored" in out
    assert "c/c.mp3: is empty (0 bytes)" in out
    assert "d/d.mp3: " in out
    assert "1 clips have none of the 3 tags" in out
    assert "splits: train 2 of 2, valid 0 of 1, test 1 of 2" in out


def test_the_top_50_are_chosen_from_a_wider_table(tmp_path):
    columns = sorted([*TOP_50, "birds", "lol"])
    root = write_table(tmp_path / "mtat", [("0/x.mp3", ("birds", "choral", "guitar"))], columns)
    listing = list_mtat(root)
    names = listing.tags
    assert names == list(TOP_50)
    assert len(set(names)) == 50
    assert (names[0], names[28:30], names[47:]) == (
        "guitar",
        ["no vocal", "pop"],
        ["metal", "female voice", "choral"],
    )
    assert listing.sources[0].labels == ("guitar", "choral")  # not birds


def test_a_path_out_of_the_folder_is_not_read(root, capsys):
    (root.parent / "secret.mp3").write_bytes((root / "c/c.mp3").read_bytes())
    write_table(root, [*CLIPS.items(), ("0/../../secret.mp3", ("soft",))])
    assert run(root) == 0
    assert "its path leads out of" in capsys.readouterr().out
    assert len(AudioStore(root.parent / "STORE")) == 5


@pytest.mark.parametrize(
    ("rows", "columns", "ids", "message"),
    [
        ([("x/a.mp3", ())], COLUMNS, None, "clip_id 2: 'x/a.mp3' is in none of the folders 0 ... f"),
        (
            [("0/a.mp3", ()), ("0/a.mp3", ())],
            COLUMNS,
            None,
            "1 values of mp3_path come more than once: 0/a.mp3",
        ),
        ([("0/a.mp3", ()), ("0/b.mp3", ())], COLUMNS, [7, 7], "1 values of clip_id come more than once: 7"),
        ([("0/a.mp3", ())], (), None, "no tags, or a column twice"),
        ([("0/a.mp3", ())], ("soft", "soft"), None, "no tags, or a column twice"),
        (
            [("0/a.mp3", ())],
            [*TOP_50[2:], *"abc"],
            None,
            "51 tags, but 2 of the top 50 are not among them: guitar, classical",
        ),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path, capsys, rows, columns, ids, message):
    root = write_table(tmp_path / "mtat", rows, columns, ids)
    assert run(root) == 1
    assert message in error_line(capsys)
    assert not (tmp_path / "STORE").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "annotations_final.csv: cannot be read (No such file or directory)"),
        ("", "annotations_final.csv: is empty"),
        ('"clip_id"\t"soft"\n', "not MagnaTagATune's table: no column mp3_path"),
        ("clip_id,soft,mp3_path\n2,0,0/a.mp3\n", "no column clip_id and mp3_path"),
        ('"clip_id"\t"soft"\t"mp3_path"\n"2"\t"0"\n', "line 2 has 2 columns, the first one 3"),
        ('"clip_id"\t"soft"\t"mp3_path"\n"2"\t"yes"\t"0/a.mp3"\n', "clip_id 2: 'soft' is 'yes', not 0 or 1"),
        ('"clip_id"\t"soft"\t"mp3_path"\n"2"\t"0"x\t"0/a.mp3"\n', "not a tab-separated table with quoted"),
        ('"clip_id"\t"soft"\t"mp3_path"\n', "there is no audio here"),
    ],
)
def test_a_table_that_is_none_is_one_line(tmp_path, capsys, text, message):
    (tmp_path / "mtat").mkdir()
    if text is not None:
        (tmp_path / "mtat" / "annotations_final.csv").write_text(text)
    assert run(tmp_path / "mtat") == 1
    assert message in error_line(capsys)
