"""The pons and clean splits, the broken clips, and the songs of `prepare mtat`."""

import csv
import gzip
import json

import mtat_fixtures
import pytest
from mtat_fixtures import CLIPS, run, write_table
from places import SHARED
from prepare_fixtures import error_line

from s3prl_pemr.prepare.datasets.mtat import BROKEN, NOT_IN_CLEAN, REAL_COUNTS, list_mtat
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.groups import Group, read_groups

TABLE = SHARED / "magnatagatune/annotations_final.csv.gz"
root = mtat_fixtures.root
INFO_COLUMNS = ("clip_id", "title", "artist", "album", "mp3_path")


def write_info(root, rows, columns=INFO_COLUMNS):
    with (root / "clip_info_final.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\n")
        table.writerows([columns, *rows])


@pytest.mark.skipif(not TABLE.exists(), reason="the real table is not here")
def test_the_real_table_gives_the_published_counts(tmp_path, capsys):
    (tmp_path / "annotations_final.csv").write_bytes(gzip.decompress(TABLE.read_bytes()))
    tracks = {}
    for split, counts in {
        "pons": {"train": 18_706, "valid": 1_825, "test": 5_329},
        "clean": {"train": 15_244, "valid": 1_529, "test": 4_332},
    }.items():
        listing = list_mtat(tmp_path, split)
        assert listing.count_splits() == counts == REAL_COUNTS[split]
        assert listing.dataset.split == split
        assert not [remark for remark in listing.remarks if "WARNING" in remark]
        assert listing.remarks[0].startswith("3 clips are left out, broken in the data set: 6/norine_braun-")
        tracks[split] = {source.track: source.labels for source in listing.sources}
    assert "3 tagged clips are left out" in listing.remarks[-1]
    assert tracks["clean"].items() < tracks["pons"].items()
    assert (
        sum(not labels for labels in tracks["pons"].values())
        == 18_706 + 1_825 + 5_329 - 15_247 - 1_529 - 4_332
    )


def test_the_clean_split_leaves_out_clips_without_a_tag(root, capsys):
    assert run(root, "--split", "clean") == 0
    store = AudioStore(root.parent / "STORE")
    assert store.tracks == [track for track in CLIPS if CLIPS[track]]
    out = capsys.readouterr().out
    assert "1 clips have none of the 3 tags and are left out" in out
    assert "splits: train 1 of 1, valid 1 of 1, test 2 of 2" in out and "WARNING" not in out
    assert "annotations_final.csv has 5 clips, not the 25863 of MagnaTagATune: another data set" in out
    name = json.loads((store.path / "dataset.json").read_text())
    own = f"{root.name} (in MagnaTagATune's layout)"
    assert name == {"name": own, "split": "clean (own table)"}


def test_the_demo_corpus_is_called_what_it_is(root):
    (root.parent / "demo.json").touch()
    assert run(root) == 0
    name = json.loads((root.parent / "STORE" / "dataset.json").read_text())["name"]
    assert name == "demo corpus (made-up music)"


def test_another_split_in_the_same_store_is_refused(root, capsys):
    assert run(root) == 0
    before = (root.parent / "STORE" / "dataset.json").read_bytes()
    capsys.readouterr()
    assert run(root, "--split", "clean") == 1
    assert "sources of 1 stored tracks are no longer there, or not in this split" in error_line(capsys)
    assert (root.parent / "STORE" / "dataset.json").read_bytes() == before


def test_broken_clips_are_left_out_by_name(tmp_path):
    rows = [(start + "a.mp3", ("soft",)) for start in BROKEN.values()]
    rows += [(f"{start}{n}.mp3", ("soft",)) for n, start in enumerate(NOT_IN_CLEAN.values())]
    rows += [("1/of the same number.mp3", ("soft",))]
    real = [*BROKEN, *NOT_IN_CLEAN]
    root = write_table(tmp_path / "mtat", rows, ids=[*real, "30"])
    pons, clean = (list_mtat(root, split) for split in ("pons", "clean"))
    assert [source.track for source in pons.sources] == sorted(track for track, _ in rows[3:])
    assert pons.remarks[0].startswith("3 clips are left out, broken in the data set: 6/norine_braun-a.mp3")
    assert [source.track for source in clean.sources] == ["1/of the same number.mp3"]
    # The numbers alone do not do: another data set may use them for other clips.
    root = write_table(root, [(f"1/{n}.mp3", ("soft",)) for n in range(6)], ids=real)
    assert len(list_mtat(root, "clean").sources) == 6


def test_a_partial_download_says_what_is_missing(root, capsys):
    (root / "c/c.mp3").unlink()
    (root / "f/f.mp3").unlink()
    data = (root / "0/a-b-01-x.mp3").read_bytes()
    (root / "0/a-b-01-x.mp3").write_bytes(data[: len(data) // 2])
    (root / "d/d.mp3").write_text("not a sound")
    assert run(root) == 0
    out = capsys.readouterr().out
    assert "WARNING: 2 listed files are not there: test 1, valid 1; by their folders: c 1, f 1" in out
    assert "WARNING: 2 files are there but unreadable; get them again: 0/a-b-01-x.mp3: truncated: 0." in out
    assert "d/d.mp3: not audio, or in a format that neither libsndfile nor FFmpeg knows" in out
    assert "splits: train 1 of 2, valid 0 of 1, test 0 of 2" in out
    assert "not those of the published splits; there is nothing in valid, test" in out


def test_artists_and_songs_of_the_clips(root, capsys):
    write_info(
        root,
        [
            ("2", "Title\t1", 'Ä "B"', "Album", "0/a-b-01-x.mp3"),
            ("3", "One", "A", "X", 'b/it\'s "live" - é.mp3'),
            ("4", "One", "A", "Y", "c/c.mp3"),
            ("5", " ", "", "Z", "d/d.mp3"),
            ("99", "No clip", "A", "Z", ""),
        ],
    )
    assert run(root) == 0
    assert read_groups(root.parent / "STORE") == {
        "0/a-b-01-x.mp3": Group('Ä "B"', 'Title\\t1 / Ä "B" / Album'),
        'b/it\'s "live" - é.mp3': Group("A", "One / A / X"),
        "c/c.mp3": Group("A", "One / A / Y"),
    }
    assert (
        "clip_info_final.csv has no artist or song of 2 clips: d/d.mp3 | f/f.mp3" in capsys.readouterr().out
    )


def test_without_clip_info_there_are_no_groups(root):
    assert run(root) == 0
    assert read_groups(root.parent / "STORE") is None


@pytest.mark.parametrize(
    ("columns", "rows", "message"),
    [
        (
            ("clip_id", "title", "artist", "mp3_path"),
            [],
            "clip_info_final.csv: not MagnaTagATune's table: no column album",
        ),
        (INFO_COLUMNS, [("2", "x")], "clip_info_final.csv: line 2 has 2 columns, the first one 5"),
    ],
)
def test_a_wrong_clip_info_is_one_line(root, capsys, columns, rows, message):
    write_info(root, rows, columns)
    assert run(root) == 1
    assert message in error_line(capsys)
