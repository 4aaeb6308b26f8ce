"""Exact search equals brute force, whatever the blocks; faiss finds nearly the same; parts are merged."""

import contextlib
import io
import shutil
import sys

import numpy as np
import pytest
from made import brute, vectors, write

from s3prl_pemr.covers.__main__ import main as covers
from s3prl_pemr.index import approximate, exact, open_index
from s3prl_pemr.index.export import export


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("values", [1 << 23, 1])
def test_exact_search_is_brute_force(tmp_path, monkeypatch, values, dtype):
    monkeypatch.setattr(exact, "BLOCK_VALUES", 8 * 16 * values)
    found = vectors(500).astype(dtype)
    found[7] = 0  # nothing to compare
    write(tmp_path / "I", found[:300], dtype=dtype)
    made = write(tmp_path / "I", found[300:], first=300, dtype=dtype)
    made.delete(made.manifest.segments[0].name, 40)
    made.commit()
    index, queries = open_index(str(tmp_path / "I")), vectors(70, seed=1)
    assert index.empty_rows().tolist() == [7]
    for query, (rows, cosines) in zip(queries, index.nearest(queries, 20), strict=True):
        wanted = [row for row in brute(found, query.astype(np.float64)) if row != 40][:20]
        assert [index.name(row) for row in rows] == [f"track {row}" for row in wanted]
        assert (np.diff(cosines) <= 0).all()
    [(rows, _)] = index.nearest(queries[:1], 1000)
    assert len(rows) == 498 and 7 not in rows


def clustered(rows, width=16):
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, width))
    return (centres[rng.integers(40, size=rows)] + 0.4 * rng.normal(size=(rows, width))).astype(np.float32)


@pytest.fixture(scope="module", params=["hnsw", "ivfpq"])
def built(request, tmp_path_factory):
    """An index with an approximate search, and what was said of it."""
    pytest.importorskip("faiss")
    folder = tmp_path_factory.mktemp(request.param) / "I"
    write(folder, clustered(2000))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert covers(["accelerate", str(folder), "--kind", request.param]) == 0
    return folder, f"{request.param} of 2000 rows", said.getvalue()


@pytest.fixture
def accelerated(built, tmp_path):
    shutil.copytree(built[0], tmp_path / "I")
    return tmp_path / "I"


def test_what_it_misses_is_said(built):
    _, what, line = built
    assert what in line and "against exact search" in line
    assert float(line.split("recall@10 ")[1].split(",")[0]) > 0.9


def test_what_is_found_is_ranked_exactly(accelerated):
    queries = clustered(2100)[2000:]
    quick, whole = open_index(accelerated), open_index(accelerated, quick=False)
    assert quick.quick and not whole.quick
    shared = []
    for (rows, cosines), (wanted, exact_cosines) in zip(
        quick.nearest(queries, 10), whole.nearest(queries, 10), strict=True
    ):
        shared.append(len(set(rows) & set(wanted)))
        assert dict(zip(wanted, exact_cosines, strict=True)).items() >= {
            (row, cosine) for row, cosine in zip(rows, cosines, strict=True) if row in wanted
        }
    assert np.mean(shared) > 9


def test_what_came_later_or_was_deleted(accelerated):
    query = np.full((1, 16), 3, np.float32)
    made = write(accelerated, query, first=2000)
    [(rows, cosines)] = open_index(accelerated).nearest(query, 2)
    assert rows[0] == 2000 and cosines[0] == pytest.approx(1)
    other = clustered(2000)[17]
    assert open_index(accelerated).nearest(other[None], 1)[0][0].tolist() == [17]
    made.delete(made.manifest.segments[0].name, 17)
    made.commit()
    index = open_index(accelerated)
    assert index.quick and index.name(index.nearest(other[None], 1)[0][0][0]) != "track 17"


def test_a_search_of_other_segments_is_not_used(accelerated, capsys):
    assert covers(["compact", str(accelerated)]) == 0
    assert "accelerate it again" in capsys.readouterr().out
    assert not open_index(accelerated).quick


def test_without_faiss_all_rows_are_searched(accelerated, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "faiss", None)
    assert not open_index(accelerated).quick
    assert "pip install 's3prl-pemr[index]'; searching all rows" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="needs faiss: pip install"):
        covers(["accelerate", str(accelerated), "--kind", "hnsw"])


def test_few_rows_need_no_search(tmp_path, capsys):
    write(tmp_path / "I", vectors(30))
    assert covers(["accelerate", str(tmp_path / "I")]) == 0
    assert "quickest searched one by one" in capsys.readouterr().out
    assert not (tmp_path / "I" / approximate.FOLDER).exists()
    assert [approximate.kind_for(rows) for rows in (1_000, 10_000_000)] == ["exact", "ivfpq"]


def test_a_damaged_search_is_passed_over(accelerated, capsys):
    (accelerated / approximate.FOLDER / approximate.FAISS_FILE).write_bytes(b"x" * 50)
    assert not open_index(accelerated).quick
    assert "faiss.index: damaged; build the search again; searching all rows" in capsys.readouterr().err


@pytest.mark.parametrize("parts", [1, 3])
def test_joined_parts_find_what_one_index_finds(tmp_path, parts, capsys):
    found, queries = vectors(90), vectors(4, seed=1)
    write(tmp_path / "whole", found)
    for part in range(parts):
        write(
            tmp_path / f"part {part}",
            found[part * 90 // parts : (part + 1) * 90 // parts],
            part * 90 // parts,
        )
    names = [str(tmp_path / f"part {part}") for part in range(parts)]
    assert covers(["join", str(tmp_path / "joined"), *names]) == 0
    assert f"{parts} parts, 90 rows" in capsys.readouterr().out
    answers = [open_index(tmp_path / name).nearest(queries, 10) for name in ("whole", "joined")]
    for (rows, cosines), (joined_rows, joined_cosines) in zip(*answers, strict=True):
        assert rows.tolist() == joined_rows.tolist() and cosines.tolist() == joined_cosines.tolist()


def test_parts_that_do_not_go_together(tmp_path):
    write(tmp_path / "a", vectors(3))
    write(tmp_path / "same", vectors(3), first=2)
    write(tmp_path / "other", vectors(3), first=3, about={"made_by": "y"})
    a = str(tmp_path / "a")
    for part, line in (
        ("same", "track 2 is in .*a and in .*same"),
        ("other", "other: made by another model"),
    ):
        with pytest.raises(SystemExit, match=f"^error: .*{line}"):
            covers(["join", str(tmp_path / "J"), a, str(tmp_path / part)])
    with pytest.raises(SystemExit, match="an index with rows of its own"):
        covers(["join", a, str(tmp_path / "other")])


@pytest.mark.parametrize("unit", [False, True])
def test_parquet_has_names_and_vectors(tmp_path, unit):
    parquet = pytest.importorskip("pyarrow.parquet")
    found = vectors(20)
    found[3] = 0
    made = write(tmp_path / "I", found)
    made.delete(made.manifest.segments[0].name, 5)
    made.commit()
    assert export(open_index(tmp_path / "I"), tmp_path / "v.parquet", unit) == 18
    table = parquet.read_table(tmp_path / "v.parquet").to_pydict()
    there = [row for row in range(20) if row not in (3, 5)]
    assert table["path"] == [f"track {row}" for row in there]
    wanted = found[there] / (np.linalg.norm(found[there], axis=1, keepdims=True) if unit else 1)
    np.testing.assert_allclose(np.array(table["vector"]), wanted, rtol=1e-6)
