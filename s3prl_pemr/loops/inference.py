"""-m inference over any number of files; s3prl/downstream/runner.py:506-524 asserts that there is one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
import torchaudio
from s3prl.downstream import runner as toolkit
from torch import Tensor

from s3prl_pemr.prepare.datasets.folder import list_folder
from s3prl_pemr.report.printable import printable, visible


def files_of(paths: Sequence[str]) -> list[Path]:
    """Files as they are, folders as the audio files below them; each once.

    A file that is not there is kept, to be named beside the unreadable ones, unless nothing else is given.

    Raises:
        ValueError: one line: there is nothing to score.
    """
    if not paths:
        raise ValueError("-m inference needs files or folders: pass them with -t")
    files: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            listing = list_folder(path)
            for remark in listing.remarks:
                print(visible(f"{printable(str(path))}: {remark}"), file=sys.stderr)
            files |= dict.fromkeys(source.path for source in listing.sources)
        else:
            files[path] = None
    if not any(path.exists() for path in files):
        what = "no such file" if files else "holds no audio files"
        raise ValueError(f"-t {' '.join(map(printable, map(str, paths)))}: {what}")
    return list(files)


@torch.no_grad()
def infer(runner: toolkit.Runner, files: Sequence[Path]) -> None:
    """The task's `inference` of each file, by its name or, of several, its path; unreadable ones are named.

    Raises:
        ValueError: one line: none could be read.
    """
    for entry in runner.all_entries:
        entry.model.eval()
    task, unreadable = runner.downstream.model, []
    for path in files:
        try:
            wavs = [_load(task, path).view(-1).to(runner.args.device)]
        except (OSError, RuntimeError, ValueError) as error:
            reason = getattr(error, "reason", None) or " ".join(str(error).split())
            unreadable.append(f"{printable(str(path))}: {reason}")
            if len(files) > 1:
                print(visible(f"unreadable: {unreadable[-1]}"), file=sys.stderr)
            continue
        features = runner.featurizer.model(wavs, runner.upstream.model(wavs))
        task.inference(features, [printable(path.stem if len(files) == 1 else str(path))])
    if len(unreadable) == len(files):
        raise ValueError(
            unreadable[0] if len(files) == 1 else f"none of the {len(files)} files could be read"
        )
    if unreadable:
        print(f"{len(unreadable)} of {len(files)} files are unreadable", file=sys.stderr)


def _load(task, path: Path) -> Tensor:
    if hasattr(task, "load_audio"):
        return task.load_audio(path)
    wav, rate = torchaudio.load(str(path))
    if rate != toolkit.SAMPLE_RATE:
        raise ValueError(f"{rate} Hz; this task takes {toolkit.SAMPLE_RATE} Hz")
    return wav
