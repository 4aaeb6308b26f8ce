import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import prepare_fixtures
import pytest
import soundfile
from prepare_fixtures import ODD_NAME, error_line, noise, prepare, tables

from s3prl_pemr.audio import UnreadableAudio, read_audio
from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.dataset_name import DatasetName, read_dataset_name
from s3prl_pemr.store.index import read_unreadable

folder, finished, own_folder = prepare_fixtures.folder, prepare_fixtures.finished, prepare_fixtures.own_folder


def test_a_folder_becomes_a_store(folder, finished):
    store = AudioStore(finished)
    names = [f"jazz/live/{number}.wav" for number in range(8)]
    assert store.tracks == [*names, "loud.wav", "rock/a.mp3", ODD_NAME, "silent.ogg"]
    assert store.length_samples[:8].tolist() == [8000 + 1600 * number for number in range(8)]
    wav, _ = soundfile.read(folder / "jazz/live/0.wav")
    # 22.05 to 16 kHz keeps the power below 8 kHz, 8000 / 11025 of white noise, less soxr's transition band.
    power = np.mean((store.read(0) / 32768) ** 2) / np.mean(wav**2)
    assert power == pytest.approx(0.96 * 8000 / 11025, abs=0.03)
    assert store.splits == [""] * 12 and store.labels == [[]] * 12
    assert read_dataset_name(finished) == DatasetName("SRC")


def test_what_cannot_be_read_is_named_with_its_reason(finished):
    rows, _ = read_unreadable(finished / "unreadable.tsv")
    reasons = {row.path: row.reason for row in rows}
    assert list(reasons) == ["cut.mp3", "empty.mp3", "link.wav", "nan.wav", "song.m4a", "text.wav"]
    assert re.fullmatch(r"truncated: [\d.]+ s could be read, its header says 2.1 s", reasons["cut.mp3"])
    assert reasons["empty.mp3"] == "is empty (0 bytes)"
    assert reasons["link.wav"] == "no such file"
    assert reasons["nan.wav"] == "1 of 3 samples are NaN or infinite"
    assert reasons["song.m4a"].startswith("not audio, or in a format that neither")
    assert reasons["text.wav"] == "not audio, or in a format that neither libsndfile nor FFmpeg knows"


def test_silent_and_clipped_tracks_are_stored_and_noted(finished):
    store = AudioStore(finished)
    notes = dict(zip(store.tracks, store.notes, strict=True))
    assert notes.pop("silent.ogg") == "silent"
    clipped = re.fullmatch(r"clipped (\d+) samples, peak ([\d.]+)", notes.pop("loud.wav"))
    # Noise of deviation 2 loses a fifth of its power to the lower rate: beyond +-1 lie 2 Q(1 / 1.70) = 56 %.
    assert int(clipped[1]) == pytest.approx(0.557 * 16000, rel=0.05) and float(clipped[2]) > 5
    assert np.abs(store.read(store.tracks.index("loud.wav")).astype(int)).max() == 32768
    assert not any(notes.values())


def test_channels_that_cancel_each_other_are_noted(tmp_path, capsys):
    (tmp_path / "SRC").mkdir()
    left, right = noise(1), noise(1, 1)
    for name, other in (("anti", -left), ("almost", -0.97 * left), ("wide", right), ("same", left)):
        soundfile.write(tmp_path / "SRC" / f"{name}.wav", np.stack([left, other], 1), 22050, subtype="FLOAT")
    assert prepare(tmp_path / "SRC", tmp_path / "DST") == 0
    store = AudioStore(tmp_path / "DST")
    assert store.notes == [
        # The mean is 0.015 of the left channel: 0.015^2 over (1 + 0.97^2) / 2 is 2.3e-4.
        "cancelled: mono has 2e-04 of the energy of its channels",
        "cancelled: mono has 0e+00 of the energy of its channels",
        "",
        "",
    ]
    out = capsys.readouterr().out
    assert "2 with channels that cancel each other in mono, stored all the same" in out and "anti.wav" in out


def test_the_summary_counts_and_names(folder, tmp_path, capfd):
    assert prepare(folder, tmp_path / "DST", "--jobs", "2") == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    hours = AudioStore(tmp_path / "DST").length_samples.sum() / 16000 / 3600
    assert lines[-1] == f"{tmp_path / 'DST'}: 12 tracks, {hours:.2f} hours, 6 unreadable, 1 silent, 1 clipped"
    assert lines[0].endswith("0 stored, 0 known as unreadable, 18 to do")
    assert "left out, not audio by their names: 1 .jpg, 1 .txt: cover.jpg | notes.txt" in lines
    assert any("6 unreadable, not stored" in line and "cut.mp3: truncated" in line for line in lines)
    assert any("1 silent, stored all the same" in line and "silent.ogg" in line for line in lines)
    assert "18/18" in err and "tracks/s" in err


def test_what_decoders_say_does_not_reach_the_progress_bar(tmp_path, capfd):
    (tmp_path / "SRC").mkdir()
    path = tmp_path / "SRC" / "a.mp3"
    soundfile.write(path, noise(20), 22050)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(data)
    with pytest.raises(UnreadableAudio):
        read_audio(path)
    assert capfd.readouterr().err == ""  # from C, in this process
    assert prepare(tmp_path / "SRC", tmp_path / "DST") == 1
    err = capfd.readouterr().err
    assert "1/1" in err and "mp3" not in err


def test_the_number_of_workers_does_not_show(folder, finished, tmp_path):
    assert prepare(folder, tmp_path / "DST", "--jobs", "2") == 0
    assert tables(tmp_path / "DST") == tables(finished)


def test_running_again_does_nothing(folder, finished, capsys):
    before = {path: path.stat().st_mtime_ns for path in finished.iterdir() if path.name != "prepare.lock"}
    start = time.monotonic()
    assert prepare(folder, finished) == 0
    assert time.monotonic() - start < 5
    assert {path: path.stat().st_mtime_ns for path in before} == before
    out = capsys.readouterr().out.splitlines()
    assert out[0].endswith("12 stored, 6 known as unreadable, 0 to do")
    assert "12 tracks" in out[-1] and "6 unreadable" in out[-1]


def test_a_removed_source_is_refused_until_rebuild(own_folder, tmp_path, capsys):
    destination = tmp_path / "DST"
    assert prepare(own_folder, destination) == 0
    capsys.readouterr()
    before = tables(destination)
    (own_folder / "rock/a.mp3").unlink()
    assert prepare(own_folder, destination) == 1
    line = error_line(capsys)
    assert "are no longer there, or not in this split, the first: rock/a.mp3" in line
    assert "run prepare with --rebuild" in line
    assert tables(destination) == before
    assert prepare(own_folder, destination, "--rebuild") == 0
    assert len(AudioStore(destination)) == 11


def test_new_and_mended_sources_are_added_at_the_end(own_folder, tmp_path, capsys):
    destination = tmp_path / "DST"
    assert prepare(own_folder, destination) == 0
    old = AudioStore(destination)
    soundfile.write(own_folder / "empty.mp3", noise(1), 22050)
    soundfile.write(own_folder / "added.wav", noise(1), 22050)
    (own_folder / "text.wav").unlink()
    capsys.readouterr()
    assert prepare(own_folder, destination) == 0
    assert "12 stored, 4 known as unreadable, 2 to do" in capsys.readouterr().out
    new = AudioStore(destination)
    assert new.tracks == [*old.tracks, "added.wav", "empty.mp3"]
    assert np.array_equal(new.read(3), old.read(3))
    rows, _ = read_unreadable(destination / "unreadable.tsv")
    assert [row.path for row in rows] == ["cut.mp3", "link.wav", "nan.wav", "song.m4a"]


def test_what_0_1_0_could_not_read_is_tried_again(folder, finished, tmp_path, capsys):
    destination = Path(shutil.copytree(finished, tmp_path / "DST"))
    table = destination / "unreadable.tsv"
    now = next(row.reason for row in read_unreadable(table)[0] if row.path == "song.m4a")
    then = "libsndfile does not read .m4a files; convert it, for example to flac"
    lines = table.read_text("utf-8").splitlines(keepends=True)
    lines = [line.replace(now, then) if line.startswith("song.m4a") else line for line in lines]
    table.write_text("".join(lines), "utf-8")
    assert prepare(folder, destination) == 0
    assert "12 stored, 5 known as unreadable, 1 to do" in capsys.readouterr().out
    assert {row.path: row.reason for row in read_unreadable(table)[0]}["song.m4a"] == now


def test_folders_that_cannot_be_prepared(tmp_path, capsys):
    assert prepare(tmp_path / "missing", tmp_path / "DST") == 1
    assert error_line(capsys) == f"prepare: {tmp_path / 'missing'}: not a folder"
    (tmp_path / "SRC").mkdir()
    (tmp_path / "SRC" / "a.txt").touch()
    assert prepare(tmp_path / "SRC", tmp_path / "DST") == 1
    assert "there is no audio here; left out, not audio by their names: 1 .txt" in error_line(capsys)
    soundfile.write(tmp_path / "SRC" / "a.wav", noise(1), 22050)
    assert prepare(tmp_path / "SRC", tmp_path / "SRC" / "a.wav") == 1
    assert error_line(capsys).endswith("SRC/a.wav: not a folder; choose another place")


def test_nothing_readable_is_a_failure(tmp_path, capsys):
    (tmp_path / "SRC").mkdir()
    (tmp_path / "SRC" / "a.wav").write_text("text")
    assert prepare(tmp_path / "SRC", tmp_path / "DST") == 1
    assert (
        "0 tracks, 0.00 hours, 1 unreadable, 0 silent, 0 clipped: nothing was readable"
        in capsys.readouterr().out
    )


def test_links_to_folders_are_followed_once(tmp_path):
    (tmp_path / "SRC" / "sub").mkdir(parents=True)
    (tmp_path / "SRC" / "sub" / "up").symlink_to(tmp_path / "SRC")
    soundfile.write(tmp_path / "SRC" / "sub" / "a.wav", noise(0.1), 22050)
    assert prepare(tmp_path / "SRC", tmp_path / "DST") == 0
    assert AudioStore(tmp_path / "DST").tracks == ["sub/a.wav"]


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert re.search(r"folder +any folder of audio files", capsys.readouterr().out)


def test_the_command_line_as_the_user_types_it(tmp_path):
    (tmp_path / "SRC").mkdir()
    soundfile.write(tmp_path / "SRC" / "a.wav", noise(1), 22050)
    command = [sys.executable, "-m", "s3prl_pemr.prepare", "folder", "SRC", "DST"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "DST: 1 tracks, 0.00 hours, 0 unreadable, 0 silent, 0 clipped"
    assert "1/1" in done.stderr
