"""Mutated audio: no crash, no hang, no memory without end; it is named, or has the right length."""

import contextlib
import json
import os
import random
import resource
import signal
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mutations import MUTATIONS

from s3prl_pemr.audio import UnreadableAudio, read_audio

FILES = 200
SECONDS, RATE, READ_RATE = 4.0, 44_100, 16_000
LONGEST_SECONDS = 30  # to read a file
LARGEST_BYTES = 2 << 30
FORMATS = {
    "mp3": ("MP3", None), "flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS"),
    "wav": ("WAV", "PCM_16"),
}  # fmt: skip
CLOSE_SECONDS = 0.11


def whole(folder: Path, name: str) -> bytes:
    """Four seconds of stereo."""
    kind, subtype = FORMATS[name]
    rate = 48_000 if name == "opus" else RATE
    time_s = np.arange(int(SECONDS * rate)) / rate
    left = sum(np.sin(2 * np.pi * hertz * time_s) for hertz in (220, 331, 440)) / 8
    noise = 0.02 * np.random.default_rng(0).standard_normal(len(time_s))
    soundfile.write(
        folder / f"whole.{name}", np.stack([left, left + noise], axis=1), rate, subtype, format=kind
    )
    return (folder / f"whole.{name}").read_bytes()


def read_apart(path: Path) -> dict:
    """What reading a file in a process of its own, with limits, comes to."""
    out = path.with_suffix(".json")
    out.unlink(missing_ok=True)
    begun, process = time.monotonic(), os.fork()
    if process == 0:
        signal.alarm(LONGEST_SECONDS)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + LARGEST_BYTES,) * 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            found = {"seconds": len(read_audio(path)) / READ_RATE}
        except UnreadableAudio as error:
            found = {"reason": error.reason}
        except BaseException as error:
            found = {"error": repr(error)}
        with contextlib.suppress(BaseException):
            out.write_text(json.dumps(found))
        os._exit(0)
    _, raw = os.waitpid(process, 0)
    status = os.waitstatus_to_exitcode(raw)
    found = json.loads(out.read_text()) if status == 0 and out.exists() else {"error": f"status {status}"}
    return {**found, "took": time.monotonic() - begun}


@pytest.mark.torture
@pytest.mark.parametrize("name", FORMATS)
def test_mutated_files(tmp_path, name, imported, report):
    data, counts, wrong, slowest = whole(tmp_path, name), Counter(), [], 0.0
    path = tmp_path / f"mutated.{name}"
    path.write_bytes(data)
    assert read_apart(path)["seconds"] == pytest.approx(SECONDS, abs=CLOSE_SECONDS)
    for seed in range(FILES):
        mutate = MUTATIONS[seed % len(MUTATIONS)]
        path.write_bytes(mutate(data, random.Random(f"{name} {seed}")))
        found = read_apart(path)
        slowest = max(slowest, found["took"])
        what = f"seed {seed}, {mutate.__name__}"
        if "error" in found:
            wrong.append(f"{what}: {found['error']}")
        elif "reason" in found:
            counts["named"] += 1
            wrong += [f"{what}: {found['reason']!r}"] if "\n" in found["reason"] else []
        elif abs(found["seconds"] - SECONDS) <= CLOSE_SECONDS:
            counts["whole"] += 1
        else:
            counts[f"other length, {mutate.__name__}"] += 1
            wrong.append(f"{what}: {found['seconds']:.2f} s instead of {SECONDS}")
    report(f"{name}: {FILES} files, {dict(counts)}, {len(wrong)} wrong, the slowest took {slowest:.1f} s")
    assert not wrong, "\n".join(wrong)
