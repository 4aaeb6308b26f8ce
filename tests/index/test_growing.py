"""An index is only added to; deleted rows are marked; compacting writes the rest anew."""

import json

import numpy as np
import pytest
from made import files, vectors, write

from s3prl_pemr.covers.__main__ import main as covers
from s3prl_pemr.index import IndexWriter, open_index, writer
from s3prl_pemr.index.compact import compact
from s3prl_pemr.index.segment import VECTORS, SegmentGone


def rows_of(index):
    """Everything by name: vector, stamps, notes."""
    found = {}
    for row, name in enumerate(index.names()):
        assert index.name(row) == name
        parts = [index.get(array, row).tolist() for array in (VECTORS, "stamps", "notes")]
        found[name] = [np.float32(parts[0]).tolist(), *parts[1:]]
    return found


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "I", vectors(10))
    return tmp_path / "I"


def test_rows_come_back_as_they_were_added(folder):
    index = open_index(folder)
    assert len(index) == 10 and index.width == 8 and index.about == {"made_by": "x"}
    assert index.names() == [f"track {number}" for number in range(10)]
    np.testing.assert_array_equal(index.gather(VECTORS, np.arange(10)), vectors(10))
    assert index.get("notes", 5).tolist() == [[5, 5], [5, 5]] and index.get("notes", 6).shape == (0, 2)
    with pytest.raises(IndexError, match="no row 10 among 10"):
        index.place(10)
    with pytest.raises(KeyError):
        index.get("nothing", 0)


def test_names_that_are_no_text(tmp_path):
    name = b"a\n\xff\0.wav".decode("utf-8", "surrogateescape")
    made = IndexWriter(tmp_path / "I", {})
    for each in (name, "ü"):
        made.add(each, np.ones(2))
    made.commit()
    assert open_index(tmp_path / "I").names() == [name, "ü"]


def test_adding_writes_what_is_new_alone(folder):
    before = files(folder)
    write(folder, vectors(5, seed=1), first=10)
    after = files(folder)
    assert {path: after[path] for path in before} == before
    new = [path for path in set(after) - set(before) if path.name == "vectors.npy"]
    assert [len(np.load(path)) for path in new] == [5]
    assert len(open_index(folder)) == 15


def test_a_long_run_leaves_few_segments(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "FULL_ROWS", 6)
    made = IndexWriter(tmp_path / "I", {})
    for number, vector in enumerate(vectors(20)):
        made.add(str(number), vector)
        made.commit()  # as if each had taken a minute
        assert open_index(tmp_path / "I").names() == [str(each) for each in range(number + 1)]
    assert [entry.rows for entry in made.manifest.segments] == [6, 6, 6, 2]
    assert len(list((tmp_path / "I" / "segments").iterdir())) == 4


def test_deleted_rows_are_marked_and_compacted_away(folder):
    before = files(folder)
    made = write(folder, vectors(6, seed=1), first=10)
    first, second = made.manifest.segments
    wanted = {name: row for name, row in rows_of(open_index(folder)).items()}
    for segment, row in ((first.name, 0), (first.name, 4), (second.name, 5)):
        made.delete(segment, row)
    made.commit()
    made.delete(first.name, 9)  # beside the marks that are there
    made.commit()
    after = files(folder)
    assert {path: after[path] for path in before} == before
    for number in (0, 4, 9, 15):
        del wanted[f"track {number}"]
    assert rows_of(open_index(folder)) == wanted
    assert len(list(folder.rglob("deleted-*"))) == 2  # one a segment
    assert compact(folder) == (12, 1)
    index = open_index(folder)
    assert rows_of(index) == wanted and index.segments[0].stored == 12
    assert compact(folder, "float16") == (12, 1)
    write(folder, vectors(2, seed=2), first=16)  # as float16 too
    dtypes = [segment.arrays[VECTORS].dtype for segment in open_index(folder).segments]
    assert dtypes == [np.float16, np.float16]


def test_compacting_puts_neighbours_together(folder, monkeypatch):
    write(folder, vectors(5, seed=1), first=10)
    write(folder, vectors(5, seed=2), first=15)
    wanted = rows_of(open_index(folder))
    monkeypatch.setattr("s3prl_pemr.index.compact.BLOCK_ROWS", 3)
    assert compact(folder, segment_rows=15) == (20, 2)
    assert rows_of(open_index(folder)) == wanted


@pytest.mark.parametrize("stop", ["write_manifest", "write_array"])
def test_a_kill_leaves_what_was_there(folder, monkeypatch, stop):
    wanted = rows_of(open_index(folder))
    with monkeypatch.context() as patch:
        calls = []

        def killed(*args):
            calls.append(args)
            raise KeyboardInterrupt

        patch.setattr(writer, stop, killed)
        with pytest.raises(KeyboardInterrupt):
            write(folder, vectors(3, seed=1), first=10)
        assert calls
    assert rows_of(open_index(folder)) == wanted
    write(folder, vectors(3, seed=1), first=10)
    assert len(open_index(folder)) == 13
    assert len(list((folder / "segments").iterdir())) == 2  # what the kill left is gone


def test_vectors_that_are_not_finite_are_refused(tmp_path):
    for dtype, value in (("float32", np.nan), ("float16", 1e6)):
        with pytest.raises(ValueError, match=f"^a: its vector is NaN or infinite in {dtype}$"):
            IndexWriter(tmp_path / "I", {}, dtype=dtype).add("a", np.full(3, value, np.float64))


def damaged(folder, what):
    manifest = folder / "index.json"
    state = json.loads(manifest.read_text())
    [segment] = (folder / "segments").iterdir()
    if what == "format":
        manifest.write_text(json.dumps({**state, "format": 99}))
    elif what == "text":
        manifest.write_text("{")
    elif what == "outside":
        state["segments"][0]["name"] = "../.."
        manifest.write_text(json.dumps(state))
    elif what == "missing":
        (segment / "vectors.npy").unlink()
    elif what == "cut":
        (segment / "vectors.npy").write_bytes((segment / "vectors.npy").read_bytes()[:150])
    elif what == "marks":
        state["segments"][0]["deleted"] = "deleted-1.npy"
        manifest.write_text(json.dumps(state))
    elif what == "rows":
        state["segments"][0]["rows"] = 3
        manifest.write_text(json.dumps(state))


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("format", "written by another version"),
        ("text", "index.json: damaged"),
        ("outside", "it is not to be trusted"),
        ("missing", "files of it are missing"),
        ("marks", "files of it are missing"),
        ("cut", "vectors.npy: damaged"),
        ("rows", "10 rows, but the index says 3"),
    ],
)
def test_damage_is_one_line(folder, what, line):
    damaged(folder, what)
    with pytest.raises(ValueError, match=line) as caught:
        open_index(folder)
    assert "\n" not in str(caught.value)


def test_the_command_compacts(folder, capsys):
    write(folder, vectors(5, seed=1), first=10)
    assert covers(["compact", str(folder)]) == 0
    assert "15 rows in 1 segments, 0 deleted ones are gone" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="^error: .*nowhere: not an index"):
        covers(["compact", str(folder / "nowhere")])


def test_a_reader_of_an_index_that_is_compacted_meanwhile(folder):
    index = open_index(folder)
    compact(folder)
    with pytest.raises(SegmentGone, match="was removed meanwhile .was the index compacted.*same command"):
        index.get("stamps", 3)
    assert open_index(folder).get("stamps", 3).tolist() == [3, 7]
