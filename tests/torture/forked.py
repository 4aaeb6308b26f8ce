"""Commands in forked processes: torch is imported once, a run costs what it computes."""

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from faults import Faults

SECONDS = 120  # what takes longer hangs
WORKER_SECONDS = (
    10  # torch's loader workers look each 5 s whether their parent is there, ours each half second
)


@dataclass
class Outcome:
    """How a command ended: status (negative: the signal that killed it), what it printed, its requests."""

    status: int
    printed: str
    requests: list[str]
    seconds: float


def start(words, folder: Path, faults: Faults | None = None) -> int:
    """`s3prl-pemr WORDS` in a process of its own session, in `folder`; returns its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        return process
    status = 130  # of a Ctrl-C before the command begins
    try:
        os.setsid()
        os.chdir(folder)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        out = os.open(folder / "printed.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        if faults:
            faults.install()
        status = _run(list(map(str, words)))
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        if faults:
            fd = os.open(folder / "requests.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.write(fd, json.dumps(faults.requests).encode())
        os._exit(status)
    return 0


def _run(words) -> int:
    from s3prl_pemr.__main__ import main

    try:
        return main(words)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        return 70


def finish(process: int, folder: Path, begun: float) -> Outcome:
    """Wait for it; one that hangs is killed and has the status -9 and `hangs` in what it printed."""
    while True:
        number, raw = os.waitpid(process, os.WNOHANG)
        if number:
            break
        if time.monotonic() - begun > SECONDS:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return Outcome(-9, "hangs\n" + (folder / "printed.txt").read_text(errors="replace"), [], SECONDS)
        time.sleep(0.01)
    requests = folder / "requests.json"
    asked = json.loads(requests.read_bytes()) if requests.exists() else []
    requests.unlink(missing_ok=True)
    printed = (
        (folder / "printed.txt").read_text(errors="replace") if (folder / "printed.txt").exists() else ""
    )
    return Outcome(os.waitstatus_to_exitcode(raw), printed, asked, time.monotonic() - begun)


def run(words, folder: Path, faults: Faults | None = None) -> Outcome:
    """A command from its start to its end."""
    begun = time.monotonic()
    return finish(start(words, folder, faults), folder, begun)


def left_behind(session: int) -> list[int]:
    """Processes of a command's session that are still there after WORKER_SECONDS, zombies not counted."""
    until = time.monotonic() + WORKER_SECONDS
    while (found := _of_session(session)) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def _of_session(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == session and fields[0] != "Z":
                    found.append(int(entry.name))
    return found
