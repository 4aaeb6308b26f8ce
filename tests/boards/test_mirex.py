"""`covers mirex`: the distance matrix, read back, ranks as `covers identify` and `evaluate` do."""

import io
import json
from math import exp

import numpy as np
import pytest
import soundfile
from cover_store import polyphony, version
from s3prl.downstream.cover_song.metric import retrieval_metrics

from s3prl_pemr.boards.mirex import distances, write_matrix
from s3prl_pemr.covers.__main__ import main as covers
from s3prl_pemr.covers.track import Known

RATE, WORKS = 16_000, 4


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Four works in two versions each."""
    folder = tmp_path_factory.mktemp("music")
    for work in range(WORKS):
        soundfile.write(folder / f"{work} a.wav", polyphony(12, RATE, work), RATE)
        soundfile.write(folder / f"{work} b.wav", version(work, 1, 12), RATE)
    return folder


def parsed(text):
    """Name, files by number, columns, and the distances of each query's number."""
    name, *lines = text.splitlines()
    middle = next(place for place, line in enumerate(lines) if line.startswith("Q/R\t"))
    files = dict(line.split("\t") for line in lines[:middle])
    rows = [line.split("\t") for line in lines[middle + 1 :]]
    return name, files, lines[middle].split("\t")[1:], {row[0]: list(map(float, row[1:])) for row in rows}


def listed(path, files):
    path.write_text("".join(f"{file}\n" for file in files))
    return path


def test_the_matrix_ranks_as_the_other_commands(music, tmp_path, capsys):
    files = sorted(music.glob("*.wav"))
    collection = listed(tmp_path / "collection.txt", files)
    out = tmp_path / "out.txt"
    queries = listed(tmp_path / "queries.txt", files[::-1])
    words = [collection, queries, out, "--device", "cpu", "--jobs", "1", "--name", "ours 1.0"]
    assert covers(["mirex", *map(str, words)]) == 0
    name, numbered, columns, rows = parsed(out.read_text())
    assert name == "ours 1.0"
    assert numbered == {str(number): str(path) for number, path in enumerate(files, start=1)}
    assert columns == list(numbered) == list(rows)[::-1]
    matrix = np.array([rows[number] for number in columns])
    assert np.isfinite(matrix).all() and (matrix >= 0).all()
    np.testing.assert_array_equal(matrix == 0, np.eye(len(files)))

    index = tmp_path / "INDEX"
    assert covers(["embed", str(music), str(index), "--device", "cpu", "--jobs", "1"]) == 0
    works = listed(tmp_path / "works.tsv", [f"{path.name}\t{path.name[0]}" for path in files])
    scored = ["evaluate", str(index), str(works), "--aligned", "20", "--out", str(tmp_path / "scores")]
    assert covers(scored) == 0
    expected = json.loads((tmp_path / "scores" / "scores.json").read_text())["works"]
    found = retrieval_metrics(-matrix, [path.name[0] for path in files])
    assert found["map"] == pytest.approx(expected["map"], abs=1e-9)

    capsys.readouterr()
    assert covers(["identify", str(files[3]), str(index), "--device", "cpu", "--json"]) == 0
    told = [match["track"] for match in json.loads(capsys.readouterr().out)["matches"]]
    order = np.argsort(rows["4"], kind="stable")
    assert [files[place].name for place in order] == told


def test_queries_from_elsewhere_and_what_cannot_be_heard(music, tmp_path, capsys):
    files = sorted(music.glob("0*.wav"))
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    (tmp_path / "text.wav").write_text("no audio")
    soundfile.write(tmp_path / "query.wav", version(0, 2, 12), RATE)
    collection = listed(tmp_path / "c.txt", [*files, tmp_path / "silent.wav"])
    queries = listed(tmp_path / "q.txt", [tmp_path / "query.wav", tmp_path / "text.wav", files[0]])
    words = [collection, queries, tmp_path / "out.txt", "--device", "cpu", "--jobs", "2", "--aligned", "0"]
    assert covers(["mirex", *map(str, words)]) == 0
    err = capsys.readouterr().err
    assert f"far from all others: {tmp_path / 'silent.wav'}: silent" in err
    assert f"far from all others: {tmp_path / 'text.wav'}: not audio" in err
    name, numbered, columns, rows = parsed((tmp_path / "out.txt").read_text())
    assert name.startswith("s3prl-pemr ") and name.endswith(" ready")
    assert [numbered["4"], numbered["5"]] == [str(tmp_path / "query.wav"), str(tmp_path / "text.wav")]
    assert columns == ["1", "2", "3"] and list(rows) == ["4", "5", "1"]
    assert rows["5"] == [pytest.approx(exp(1))] * 3
    assert rows["1"][0] == 0.0 and rows["1"][2] == rows["4"][2] == pytest.approx(exp(1))
    assert 0 < rows["1"][1] < exp(1)


def test_distances_worked_out_by_hand():
    def known(*embedding):
        return Known(np.array(embedding, np.float32), np.zeros((12, 9), np.uint8), None)

    rows = distances([known(2, 0), known(0, 1), None, known(1, 1)], 3, [0, 3], aligned=0)
    first, last = rows
    assert first == pytest.approx([0, exp(0), exp(1)])
    assert last == pytest.approx([exp(-(0.5**0.5)), exp(-(0.5**0.5)), exp(1)])


def test_the_text_is_that_of_the_wiki():
    file = io.BytesIO()
    write_matrix(
        file, "name", ["a.wav", "b.wav", "c.wav"], 2, [1, 2], [np.array([0.5, 0]), np.array([1, 2.0])]
    )
    assert file.getvalue() == b"name\n1\ta.wav\n2\tb.wav\n3\tc.wav\nQ/R\t1\t2\n2\t0.5\t0.0\n3\t1.0\t2.0\n"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", "lists no files"),
        ("none.wav\n", "1 of its 1 files are not there: none.wav"),
        ("a\na\n", "lists 1 files twice: a"),
    ],
)
def test_a_list_that_cannot_be_used_is_one_line(content, line, tmp_path):
    (tmp_path / "list.txt").write_text(content)
    with pytest.raises(SystemExit, match=line) as caught:
        covers(["mirex", *[str(tmp_path / "list.txt")] * 2, str(tmp_path / "out.txt")])
    assert "\n" not in str(caught.value)
