"""`prepare demo` on a few short recordings: bytes, interruptions, refusals, readers of its layouts."""

import multiprocessing
import os
import signal
import time
from collections import namedtuple

import numpy as np
import pytest
from demo_excerpts import small

from s3prl_pemr.audio import read_audio
from s3prl_pemr.demo import covers, gtzan, magnatagatune, plan
from s3prl_pemr.demo.names import titles
from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.prepare.datasets import demo
from s3prl_pemr.prepare.datasets.mtat import list_mtat

FORKED = multiprocessing.get_context("fork")


@pytest.fixture
def short(monkeypatch):
    """Every 12th work of the tagging part in clips of two seconds, and two works of each other part."""

    def plan_short(seed, full, held_out):
        seed_of_split = (seed, 0, 0)
        tagging = list(magnatagatune._draw_split(seed_of_split, "valid", titles(seed), 0))[:2]
        others = [make((seed, 9), titles(seed))[0][:2] for make in (gtzan.plan_gtzan, covers.plan_covers80)]
        recordings = small([*tagging, *others[0], *others[1]])
        tags = magnatagatune.clip_tags(recordings[:2])
        return plan.Plan(recordings, magnatagatune._tables((seed,), recordings[:2], tags))

    monkeypatch.setattr(demo, "plan_corpus", plan_short)


def prepare(destination, *options):
    return main(["demo", str(destination), "--jobs", "1", *options])


def files(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "prepare.lock"
    }


def error_line(capsys):
    (line,) = [line for line in capsys.readouterr().err.split("\n") if line.startswith("prepare: ")]
    return line


def test_same_seed_same_bytes_whatever_the_jobs(short, tmp_path, capsys):
    assert prepare(tmp_path / "a") == 0
    assert prepare(tmp_path / "b", "--jobs", "2") == 0
    assert prepare(tmp_path / "c", "--seed", "1") == 0
    one, two, other = (files(tmp_path / name) for name in "abc")
    assert one == two and len(one) == 1 + 2 + 2 * 3 + 2 * 4 + 2
    assert not set(one.values()) & {content for name, content in other.items() if name.endswith(("3", "wav"))}
    listing = list_mtat(tmp_path / "a" / "magnatagatune")
    assert len(listing.sources) == 6 and len(listing.tags) == 45 and listing.groups
    (remark,) = listing.remarks
    assert "another data set" in remark
    for source in listing.sources:
        wav = read_audio(source.path)
        assert abs(len(wav) / 16_000 - 2) < 0.01 and 0.01 < np.abs(wav).max() < 1
        assert source.split == "valid" and len(source.labels) >= 6
    capsys.readouterr()
    assert prepare(tmp_path / "a") == 0
    assert "6 recordings, 6 there, 0 to do" in capsys.readouterr().out
    assert files(tmp_path / "a") == one


def test_kill_9_and_again(short, tmp_path):
    assert prepare(tmp_path / "whole") == 0
    child = FORKED.Process(target=prepare, args=(tmp_path / "DST",))
    child.start()
    while len(list((tmp_path / "DST").rglob("*.mp3"))) < 2:
        assert child.is_alive()
        time.sleep(0.001)
    child.kill()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    time.sleep(1)  # its workers notice within half a second
    whole = files(tmp_path / "whole")
    kept = files(tmp_path / "DST")
    assert not any(name.endswith(".csv") for name in kept)  # no reader takes it for a corpus
    assert all(content == whole[name] for name, content in kept.items() if not name.endswith(".part"))
    assert prepare(tmp_path / "DST") == 0
    assert files(tmp_path / "DST") == whole


def test_ctrl_c_and_again(short, tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as interrupting:
        progress = demo.Progress

        def interrupted(results, *args, **kwargs):
            for number, result in enumerate(progress(results, *args, **kwargs)):
                if number == 2:
                    os.kill(os.getpid(), signal.SIGINT)
                yield result

        interrupting.setattr(demo, "Progress", interrupted)
        assert prepare(tmp_path) == 130
    assert "interrupted: 3 of 6 recordings are done; run the same command again" in capsys.readouterr().err
    assert not (tmp_path / "magnatagatune" / "annotations_final.csv").exists()
    assert prepare(tmp_path) == 0
    assert (tmp_path / "magnatagatune" / "annotations_final.csv").exists()


def test_another_seed_is_refused(short, tmp_path, capsys):
    assert prepare(tmp_path) == 0
    before = files(tmp_path)
    assert prepare(tmp_path, "--seed", "3") == 1
    assert "was made with seed 0, now 3; choose another DST" in error_line(capsys)
    assert prepare(tmp_path, "--held-out") == 1
    assert "was made with held_out False, now True; choose another DST" in error_line(capsys)
    assert prepare(tmp_path, "--held-out", "--full") == 1
    assert "give one of them" in error_line(capsys)
    (tmp_path / "demo.json").write_text(
        (tmp_path / "demo.json").read_text().replace('"symusic": "', '"symusic": "9')
    )
    assert prepare(tmp_path) == 1
    assert "was made with symusic 90.5.9, now 0.5.9" in error_line(capsys)
    (tmp_path / "demo.json").write_text("{")
    assert prepare(tmp_path) == 1
    assert "demo.json: damaged" in error_line(capsys)
    assert {**files(tmp_path), "demo.json": before["demo.json"]} == before


def test_a_folder_of_something_else_is_refused(tmp_path, capsys):
    (tmp_path / "song.mp3").touch()
    assert prepare(tmp_path) == 1
    assert "holds song.mp3 and is no demo corpus" in error_line(capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["song.mp3"]


def test_missing_packages(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    assert prepare(tmp_path / "DST") == 1
    assert "needs symusic and pretty_midi, not installed here: pip install 's3prl-pemr[demo]'" in error_line(
        capsys
    )
    assert not (tmp_path / "DST").exists()


def test_a_disk_that_is_too_small(short, tmp_path, monkeypatch, capsys):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(demo.shutil, "disk_usage", lambda path: usage(10, 9, 1_000_000))
    assert prepare(tmp_path) == 1
    assert "2 MB more and 1 MB are free" in error_line(capsys)
    assert not list(tmp_path.rglob("*.mp3"))
