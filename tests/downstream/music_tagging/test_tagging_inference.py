"""-m inference over files and folders: what is scored, what is named, and with which exit status."""

import sys

import numpy as np
import pytest
import soundfile
import torch
from tagging_store import clip

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.loops.inference import files_of


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Two clips, one of them in a folder below and with `=` in its name, and a file that is no audio."""
    folder = tmp_path_factory.mktemp("music") / "some=music"
    (folder / "below").mkdir(parents=True)
    generator = np.random.default_rng(9)
    soundfile.write(folder / "high.wav", clip(("high tone",), generator, seconds=2), SAMPLE_RATE)
    soundfile.write(folder / "below" / "a=b.flac", clip(("low tone",), generator, seconds=2), SAMPLE_RATE)
    (folder / "text.mp3").write_text("no audio")
    (folder / "notes.txt").write_text("no audio by its name")
    return folder


@pytest.fixture(scope="module")
def head(store, tmp_path_factory):
    """A checkpoint of one step: which tags it finds does not matter here."""
    from s3prl_pemr.launch.downstream import main

    expdir = tmp_path_factory.mktemp("head")
    settings = [f"config.runner.{key}=1" for key in ("total_steps", "eval_step", "save_step", "log_step")]
    settings += [f"config.downstream_expert.datarc.store={store}"]
    command = ["-m", "train", "-u", "fbank_no_cmvn", "-d", "music_tagging", "-p", str(expdir)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        for name in ("is_available", "device_count"):  # --device cpu replaces them
            patch.setattr(torch.cuda, name, getattr(torch.cuda, name))
        patch.setattr(sys, "argv", ["x", "--device", "cpu", *command, "-o", ",,".join(settings)])
        main()
    return expdir / "states-1.ckpt"


@pytest.fixture
def infer(head, run_downstream, capsys):
    """The names of the files that were scored, and what was printed to stderr."""

    def infer(*flags):
        capsys.readouterr()
        run_downstream("-m", "inference", *flags, "-e", head)
        printed = capsys.readouterr()
        lines = printed.out.splitlines()
        scored = [line for line, after in zip(lines, lines[1:], strict=False) if after.startswith("  0")]
        return [line for line in scored if not line.startswith("  ")], printed.err

    return infer


def test_files_and_folders_in_one_flag_or_several(music, infer):
    high, low = str(music / "high.wav"), str(music / "below" / "a=b.flac")
    assert infer("-t", high, low)[0] == [high, low]
    assert infer("-t", low, "-t", high, "-t", high)[0] == [low, high]
    scored, err = infer("-t", music, high)
    assert scored == [low, high]  # as `prepare folder` sorts them; each once
    assert f"unreadable: {music / 'text.mp3'}: not audio" in err
    assert "1 of 3 files are unreadable" in err
    assert ".txt" in err  # left out by its name, said


def test_one_file_is_called_by_its_name(music, infer):
    scored, err = infer("-t", music / "below" / "a=b.flac")
    assert scored == ["a=b"]
    assert "unreadable" not in err
    assert infer(f"--evaluate_split={music / 'high.wav'}")[0] == ["high"]


def test_a_missing_file_among_others_is_named(music, infer):
    high = str(music / "high.wav")
    scored, err = infer("-t", music / "lost.mp3", high)
    assert scored == [high]
    assert f"unreadable: {music / 'lost.mp3'}: no such file" in err


def test_what_cannot_be_scored_at_all_is_one_line(music, infer, tmp_path):
    for name in ("one.mp3", "two.mp3"):
        (tmp_path / name).write_text("no audio")
    (tmp_path / "empty").mkdir()
    for flags, line in (
        ((), "-m inference needs files or folders: pass them with -t"),
        (("-t", tmp_path / "lost.mp3"), "-t .*lost.mp3: no such file"),
        (("-t", tmp_path / "empty"), "-t .*empty: holds no audio files"),
        (("-t", music / "text.mp3"), ".*text.mp3: not audio"),
        (("-t", tmp_path), "none of the 2 files could be read"),
    ):
        with pytest.raises(SystemExit, match=f"^error: {line}") as caught:
            infer(*flags)
        assert "\n" not in str(caught.value)


def test_an_upstream_s_checkpoint_that_has_moved_is_named_anew(music, head, run_downstream, tmp_path):
    saved = torch.load(head)
    saved["Args"].upstream, saved["Args"].upstream_ckpt = "pemr_local", str(tmp_path / "was.ckpt")
    torch.save(saved, tmp_path / "head.ckpt")
    (tmp_path / "is=here.ckpt").write_text("no checkpoint")
    flags = ("-m", "inference", "-t", music / "high.wav", "-e", tmp_path / "head.ckpt")
    lost = "^error: .*head.ckpt: .*was.ckpt is no longer there; .* -k CKPT$"
    with pytest.raises(SystemExit, match=lost):
        run_downstream(*flags)
    with pytest.raises(SystemExit, match="^error: checkpoint .*is=here.ckpt cannot be read"):
        run_downstream(*flags, "-k", tmp_path / "is=here.ckpt")


def test_nothing_is_made_up(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        files_of([str(tmp_path / "a"), str(tmp_path / "b")])
