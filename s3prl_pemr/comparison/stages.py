"""Commands that make up one long experiment: each is run once, in order; what is done is skipped."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from s3prl_pemr.safety.whole_file import write_whole

STAGES_FILE = "stages.json"


class Stages:
    """The stages of an experiment in a folder; stages.json there keeps what each took, in seconds.

    Args:
        folder: made if missing.
        total: how many there will be, to show how far along they are.
    """

    def __init__(self, folder: Path, total: int):
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.total, self.number = folder / STAGES_FILE, total, 0
        self.records: dict[str, dict] = (
            json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}
        )

    def run(self, name: str, arguments: list[str]) -> None:
        """Run `python ARGUMENTS` unless it is done; the command has to go on where a former run was stopped.

        Raises:
            SystemExit: the command failed or was interrupted; with its status. The time it took is kept.
            ValueError: the stage was begun with another command.
        """
        self.number += 1
        command = shlex.join(arguments)
        record = self.records.setdefault(name, {"command": command, "seconds": 0.0, "done": False})
        if record["command"] != command:
            raise ValueError(
                f"{self.path}: stage {name} was run by another command before (python {record['command']}); "
                f"remove {self.path.parent}, or name another folder"
            )
        if record["done"]:
            print(f"[{self.number}/{self.total}] {name}: done, {record['seconds']:.0f} s")
            return
        print(f"\n[{self.number}/{self.total}] {name}\n$ python {command}", flush=True)
        begin = time.monotonic()
        status = _run([sys.executable, *arguments])
        record["seconds"] = round(record["seconds"] + time.monotonic() - begin, 3)
        record["done"] = status == 0
        self._write()
        if status != 0:
            print(f"{name} ended with status {status}; the same command goes on from there", file=sys.stderr)
            raise SystemExit(status)

    def seconds(self, *names: str) -> float:
        """What these stages took together, over all attempts."""
        return sum(self.records[name]["seconds"] for name in names)

    def _write(self) -> None:
        write_whole(self.path, (json.dumps(self.records, indent=1) + "\n").encode())


def _run(command: list[str]) -> int:
    """Its status, as a shell gives it. Ctrl-C reaches the command by itself, SIGTERM is handed on to it."""
    with subprocess.Popen(command) as process:

        def hand_on(number: int, frame: FrameType | None) -> None:
            process.send_signal(number)

        before = signal.signal(signal.SIGTERM, hand_on)
        try:
            while True:
                try:
                    status = process.wait()
                    break
                except KeyboardInterrupt:  # the command had it too: it saves what it has, then ends
                    continue
        finally:
            signal.signal(signal.SIGTERM, before)
    return status if status >= 0 else 128 - status
