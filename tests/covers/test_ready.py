"""Covers without any training of one's own: the network that ships, and Fourier magnitudes."""

import json

import numpy as np
import pytest
import soundfile
from cover_store import polyphony, version

from s3prl_pemr.covers import model
from s3prl_pemr.covers.index import read_index
from s3prl_pemr.covers.track import Heard

RATE = 16_000


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Eighteen works of 35 s, and a second version of two of them in another key and tempo."""
    folder = tmp_path_factory.mktemp("music")
    for work in range(18):
        soundfile.write(folder / f"{work}.wav", polyphony(35, RATE, work), RATE)
    for work in (3, 7):
        soundfile.write(folder / f"{work} live.wav", 0.5 * version(work, 1, 30), RATE)
    return folder


@pytest.fixture(scope="module", params=["ready", "ftm2d"])
def index(request, music, tmp_path_factory):
    from s3prl_pemr.covers.__main__ import main

    path = tmp_path_factory.mktemp("index") / "INDEX"
    chosen = [] if request.param == "ready" else ["--model", request.param]  # the default
    assert main(["embed", str(music), str(path), "--device", "cpu", *chosen]) == 0
    return path


@pytest.fixture(scope="module")
def queries(tmp_path_factory):
    """A third version of work 3, and a work that is not there."""
    folder = tmp_path_factory.mktemp("queries")
    soundfile.write(folder / "known.wav", version(3, 2, 30), RATE)
    soundfile.write(folder / "unknown.wav", polyphony(30, RATE, 99), RATE)
    return folder


def test_a_version_is_found_and_a_stranger_is_not(index, queries, run):
    status, out, err = run("identify", queries / "known.wav", index, "--top", 3, "--device", "cpu")
    assert status == 0
    assert out.splitlines()[0].split(maxsplit=2)[2].startswith(("3.wav", "3 live.wav"))
    assert "the first is a cover: unrelated tracks are as good with a chance of" in err
    _, out, err = run("identify", queries / "unknown.wav", index, "--device", "cpu")
    if read_index(index).model == "ready":  # Fourier magnitudes of so few made-up works are all alike
        assert "none of these seems to be a cover" in err


def test_a_folder_of_queries_as_json(index, queries, run):
    _, out, _ = run("identify", queries, index, "--json", "--top", 1, "--device", "cpu")
    known, unknown = map(json.loads, out.splitlines())
    assert known["query"].endswith("known.wav") and known["cover"] is True
    assert known["matches"][0]["track"].startswith("3")
    assert {"semitones", "tempo_ratio", "query_seconds", "track_seconds"} <= set(known["matches"][0])
    assert unknown["cover"] is False or read_index(index).model == "ftm2d"


def test_a_list_is_scored_with_the_nearest_aligned(index, run, tmp_path):
    versions = [f"{work}{live}.wav\t{work}\n" for work in (3, 7) for live in ("", " live")]
    (tmp_path / "list.tsv").write_text("".join(versions + [f"{work}.wav\t{work}\n" for work in (1, 2, 4)]))
    _, plain, _ = run("evaluate", index, tmp_path / "list.tsv", "--out", tmp_path / "plain")
    _, aligned, _ = run(
        "evaluate", index, tmp_path / "list.tsv", "--aligned", 6, "--out", tmp_path / "aligned"
    )
    found = [json.loads((tmp_path / way / "scores.json").read_text())["list"] for way in ("plain", "aligned")]
    assert [entry["aligned_candidates"] for entry in found] == [0, 6]
    assert found[1]["map"] >= found[0]["map"] and found[1]["map"] > found[1]["random_ranking"]["map"] + 0.3
    with pytest.raises(SystemExit, match="--aligned is a number of candidates"):
        run("evaluate", index, tmp_path / "list.tsv", "--aligned", -1)


def test_groups_of_versions(index, run):
    _, out, _ = run("duplicates", index, "--json")
    assert ["3 live.wav", "3.wav"] in json.loads(out)
    _, out, _ = run("duplicates", index)
    assert "groups of versions among 20 tracks" in out


def test_what_was_played_when(index, music, queries, run, tmp_path):
    wavs = [soundfile.read(music / f"{work}.wav")[0] for work in (5, 11)]
    soundfile.write(tmp_path / "mix.wav", np.concatenate(wavs), RATE)
    _, out, _ = run("scan", tmp_path / "mix.wav", index, "--json", "--cue", tmp_path / "mix.cue")
    found = json.loads(out.splitlines()[0])
    assert [piece["track"] for piece in found] == ["5.wav", "11.wav"]
    assert found[1]["start"] == pytest.approx(35, abs=3) and found[1]["end"] == pytest.approx(70, abs=2)
    assert 'TITLE "11.wav"' in (tmp_path / "mix.cue").read_text()


def test_two_files_side_by_side(music, queries, run, tmp_path):
    _, same, _ = run(
        "compare", music / "3.wav", queries / "known.wav", "-o", tmp_path / "a.png", "--device", "cpu"
    )
    _, other, _ = run("compare", music / "4.wav", queries / "known.wav", "--device", "cpu")
    score = [float(line.split()[1]) for line in (same, other)]
    assert score[0] > score[1] + 0.3
    assert "semitones" in same and "times as long" in same
    assert (tmp_path / "a.png").stat().st_size > 10_000


def test_an_index_keeps_its_model(index, music, run, tmp_path):
    found = read_index(index)
    assert found.model in ("ready", "ftm2d")
    other = {"ready": "ftm2d", "ftm2d": "ready"}[found.model]
    with pytest.raises(SystemExit, match="made by another model"):
        run("embed", music, index, "--model", other, "--device", "cpu")


def test_pieces_do_not_depend_on_how_many_go_through_the_network_at_a_time(monkeypatch):
    cqt = np.random.default_rng(0).random((84, 150), np.float32)
    heard, ready = Heard(np.ones(1, np.float32), cqt), model.open_model("ready", "cpu")
    known = ready.know(heard, "a")
    assert len(known.pieces) == 7  # from 0, 15 ... 90
    monkeypatch.setattr(model, "BATCH_PIECES", 2)
    np.testing.assert_allclose(ready.know(heard, "a").pieces, known.pieces, atol=1e-3)
