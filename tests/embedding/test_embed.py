"""`s3prl-pemr embed`: any upstream, any form, again only what is new."""

import json
import os
import signal

import numpy as np
import pytest
import soundfile
import torch
from s3prl import hub

import s3prl_pemr
from s3prl_pemr.embedding import command
from s3prl_pemr.embedding.__main__ import main
from s3prl_pemr.embedding.embedder import Embedder, Wanted, batches
from s3prl_pemr.index import open_index, writer
from s3prl_pemr.index.__main__ import main as index_command

RATE = 16_000


@pytest.fixture
def music(tmp_path):
    """Five tracks of 1 to 5 s, and a file that is none."""
    folder = tmp_path / "music"
    (folder / "live").mkdir(parents=True)
    for number in range(5):
        wav = 0.1 * np.random.default_rng(number).standard_normal(RATE * (1 + number))
        soundfile.write(folder / ("live" if number % 2 else ".") / f"{number}.wav", wav, RATE)
    (folder / "text.mp3").write_text("no audio")
    return folder


def embed(*words):
    return main([str(word) for word in (*words, "--device", "cpu", "--jobs", 1)])


def test_a_folder_mirrors_the_music(music, tmp_path, capsys):
    assert embed(music, tmp_path / "out") == 0
    printed = capsys.readouterr()
    assert "5 tracks, 5 new, 1 unreadable" in printed.out and "hours of music a minute" in printed.out
    assert "unreadable: text.mp3: not audio" in printed.err
    with np.load(tmp_path / "out" / "live" / "3.wav.npz") as file:
        assert file["embedding"].shape == (4, 512)
        np.testing.assert_allclose(file["seconds"], np.arange(4) * 1.024, rtol=1e-6)
        np.testing.assert_allclose(file["clip"], file["embedding"].mean(axis=0), rtol=1e-5, atol=1e-7)
        assert json.loads(str(file["about"]))["upstream"] == "pemr"
        # heard beside shorter tracks: as by itself, by the upstream
        wav = torch.from_numpy(s3prl_pemr.audio.read_audio(music / "live" / "3.wav"))
        with torch.no_grad():
            alone = hub.pemr()([wav])["last_hidden_state"][0, :4]
        np.testing.assert_allclose(file["embedding"], alone, rtol=1e-4, atol=1e-5)


def test_only_what_is_new_or_changed(music, tmp_path, capsys):
    assert embed(music, tmp_path / "v.npy", "--pool", "mean") == 0
    vectors = np.load(tmp_path / "v.npy")
    lines = (tmp_path / "tracks.tsv").read_text().splitlines()
    assert lines[:2] == ["path\tfirst_row\trows", "0.wav\t0\t1"] and len(lines) == 6
    assert vectors.shape == (5, 512)
    soundfile.write(music / "0.wav", 0.1 * np.ones(RATE), RATE)
    (music / "2.wav").unlink()
    capsys.readouterr()
    assert embed(music, tmp_path / "v.npy", "--pool", "mean") == 0
    printed = capsys.readouterr().out
    assert "4 tracks, 3 of them there already" in printed or "5 tracks, 3 of them there already" in printed
    assert "saved to" in printed and "4 tracks, 1 new" in printed
    again = np.load(tmp_path / "v.npy")
    assert again.shape == (4, 512)
    np.testing.assert_array_equal(again[1:], vectors[2:])  # 2.wav is gone; sorted: 0, 4, live/1, live/3
    assert not np.array_equal(again[0], vectors[0])
    assert embed(music, tmp_path / "v.npy", "--pool", "mean_std") == 0  # another wish: all anew
    assert np.load(tmp_path / "v.npy").shape == (4, 1024)


def test_parquet_has_a_row_a_window(music, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    assert embed(music, tmp_path / "v.parquet", "--every", 2.1) == 0
    table = parquet.read_table(tmp_path / "v.parquet").to_pydict()
    assert table["path"].count("live/3.wav") == 2
    rows = [row for row, path in enumerate(table["path"]) if path == "live/3.wav"]
    assert [table["seconds"][row] for row in rows] == pytest.approx([0.0, 2.048])
    assert {len(vector) for vector in table["vector"]} == {512}
    (own,) = s3prl_pemr.embed([music / "live" / "3.wav"], device="cpu")
    np.testing.assert_allclose(
        table["vector"][rows[1]], own.embedding[2:4].mean(axis=0), rtol=1e-4, atol=1e-5
    )


def test_upstreams_of_the_toolkit_in_pieces(music, tmp_path):
    wanted = Wanted("fbank_no_cmvn", piece_seconds=2.0)
    (found,) = Embedder(wanted, "cpu").embed([np.random.default_rng(0).random(5 * RATE).astype("f")])
    assert found.embedding.shape[1] == 240
    assert len(found.embedding) == 500  # 10 ms each, whatever its windows leave out at the end of a piece
    assert found.seconds[-1] == pytest.approx(4.99)
    assert embed(music, tmp_path / "out", "-u", "fbank_no_cmvn", "--layer", 0) == 0


def test_an_interrupted_run_goes_on(music, tmp_path, monkeypatch, capsys):
    write = command.write_track
    written = []

    def write_and_stop(*arguments):
        write(*arguments)
        written.append(arguments[1])
        if len(written) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(command, "write_track", write_and_stop)
    assert embed(music, tmp_path / "out", "--batch", 1) == 143
    assert "the same command again goes on" in capsys.readouterr().err
    assert embed(music, tmp_path / "out", "--batch", 1) == 0
    assert len(written) == len(set(written)) == 5


def test_parts_are_disjoint(tmp_path):
    (tmp_path / "music").mkdir()
    for name in "abcdefgh":
        wav = 0.1 * np.random.default_rng(ord(name)).standard_normal(RATE)
        soundfile.write(tmp_path / "music" / f"{name}.wav", wav, RATE)
    for number in (1, 2):
        assert embed(tmp_path / "music", tmp_path / f"part{number}", "--shard", f"{number}/2") == 0
    made = [{path.name for path in (tmp_path / f"part{n}").glob("*.npz")} for n in (1, 2)]
    assert made[0] and made[1] and not made[0] & made[1]
    assert len(made[0] | made[1]) == 8


def test_batches_are_of_neighbours_by_length():
    assert batches([50, 10, 12, 49, 200], most=2, most_samples=110) == [[1, 2], [3, 0], [4]]
    assert batches([], 2, 10) == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["-u", "pemrr"], "error: -u pemrr: unknown upstream"),
        (["-k", "none.ckpt"], "error: -k none.ckpt: no such file"),
        (["--layer", "7"], "error: --layer 7: pemr has layers 0 to 0"),
        (["--every", "-1"], "error: --every is at least 0 s"),
    ],
)
def test_what_cannot_be_done_is_one_line(music, tmp_path, words, line):
    with pytest.raises(SystemExit, match=f"^{line}") as caught:
        embed(music, tmp_path / "out", *words)
    assert "\n" not in str(caught.value)


def test_an_index_takes_only_what_is_new_or_changed(music, tmp_path, capsys):
    out = tmp_path / "v.index"
    assert embed(music, out, "--every", 2.1) == 0
    assert "5 tracks, 5 new, 1 unreadable" in capsys.readouterr().out
    index = open_index(out)
    rows = index.names().count("live/3.wav")
    assert rows == 2 and index.get("seconds", index.names().index("live/3.wav") + 1) == pytest.approx(2.048)
    with np.load(tmp_path / "v.index.parts" / "live" / "3.wav.npz") as file:
        [(found, cosines)] = index.nearest(file["embedding"][:1], 1)
    assert index.name(found[0]) == "live/3.wav" and cosines[0] == pytest.approx(1)
    before = {path: path.read_bytes() for path in out.rglob("vectors.npy")}
    soundfile.write(music / "0.wav", 0.1 * np.ones(RATE), RATE)
    (music / "2.wav").unlink()
    assert embed(music, out, "--every", 2.1) == 0
    assert {path: path.read_bytes() for path in before} == before
    again = open_index(out)
    assert set(again.names()) == {"0.wav", "4.wav", "live/1.wav", "live/3.wav"}
    assert [len(segment) for segment in again.segments] == [len(index) - 3, 1]
    with pytest.raises(SystemExit, match="of another upstream, or other wishes; choose another OUT"):
        embed(music, out, "--every", 3)


def test_a_kill_between_two_commits_leaves_no_half_track(music, tmp_path, monkeypatch):
    """A segment is full in the middle of a track; the second one never comes to its end."""
    out, real, calls = tmp_path / "v.index", writer.write_manifest, []

    def killed_at_the_second(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(writer, "FULL_ROWS", 2)
        patch.setattr(writer, "write_manifest", killed_at_the_second)
        with pytest.raises(SystemExit):
            embed(music, out)
    assert 0 < len(open_index(out)) < 15
    assert embed(music, out) == 0
    names = open_index(out).names()
    assert {name: names.count(name) for name in names} == {
        "0.wav": 1, "2.wav": 3, "4.wav": 5, "live/1.wav": 2, "live/3.wav": 4
    }  # fmt: skip


def test_parts_of_an_index_are_joined_when_all_are_there(music, tmp_path, capsys):
    parts = [tmp_path / f"{number}.index" for number in (1, 2)]
    for number, part in enumerate(parts, start=1):
        assert embed(music, part, "--pool", "mean", "--shard", f"{number}/2") == 0
    with pytest.raises(SystemExit, match="parts 2 of 2 are missing"):
        index_command(["join", str(tmp_path / "J"), str(parts[0])])
    assert index_command(["join", str(tmp_path / "J"), *map(str, parts)]) == 0
    assert "2 parts, 5 rows" in capsys.readouterr().out
