"""Commands that make up one long experiment: each is run once, in order; what is done is skipped."""

from __future__ import annotations

import json
import os
import resource
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from s3prl_pemr.safety.whole_file import write_whole

STAGES_FILE = "stages.json"
KILOBYTE = 1024 if sys.platform == "linux" else 1  # what ru_maxrss counts


class Stages:
    """The stages of an experiment in a folder; stages.json there keeps seconds and peak memory of each.

    Args:
        folder: made if missing.
        total: how many there will be, to show how far along they are; 0: not known.
        log: a file that what they print goes to, and nothing is shown; None: all is shown.
        environment: of the commands, besides this one's own.
    """

    running: set[subprocess.Popen] = set()  # of all experiments of this process

    def __init__(
        self, folder: Path, total: int, log: Path | None = None, environment: dict[str, str] | None = None
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.total, self.number = folder / STAGES_FILE, total, 0
        self.log, self.environment = log, {**os.environ, **(environment or {})}
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
            self._say(f"{self._place()} {name}: done, {record['seconds']:.0f} s")
            return
        self._say(f"\n{self._place()} {name}\n$ python {command}")
        begin = time.monotonic()
        status, peak_bytes = self._run([sys.executable, *arguments])
        record["seconds"] = round(record["seconds"] + time.monotonic() - begin, 3)
        record["peak_gb"] = max(record.get("peak_gb", 0.0), round(peak_bytes / 1e9, 3))
        record["done"] = status == 0
        self._write()
        if status != 0:
            if self.log is None:
                line = f"{name} ended with status {status}; the same command goes on from there"
                print(line, file=sys.stderr)
            raise SystemExit(status)

    def seconds(self, *names: str) -> float:
        """What these stages took together, over all attempts."""
        return sum(self.records[name]["seconds"] for name in names)

    def peak_gb(self) -> float:
        """Of the stage that took most memory; 0 where none was measured."""
        return max((record.get("peak_gb", 0.0) for record in self.records.values()), default=0.0)

    def _place(self) -> str:
        return f"[{self.number}/{self.total}]" if self.total else f"[{self.number}]"

    def _say(self, line: str) -> None:
        if self.log is None:
            print(line, flush=True)
        else:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

    def _write(self) -> None:
        write_whole(self.path, (json.dumps(self.records, indent=1) + "\n").encode())

    def _run(self, command: list[str]) -> tuple[int, int]:
        """Its status, as a shell gives it, and the most memory it took in bytes.

        Ctrl-C reaches the command by itself, SIGTERM is handed on to it; in a thread whoever started that
        does so, by `running`.
        """
        output = None if self.log is None else self.log.open("ab")
        with subprocess.Popen(command, stdout=output, stderr=output, env=self.environment) as process:
            Stages.running.add(process)
            in_main = threading.current_thread() is threading.main_thread()

            def hand_on(number: int, frame: FrameType | None) -> None:
                process.send_signal(number)

            before = signal.signal(signal.SIGTERM, hand_on) if in_main else None
            try:
                while True:
                    try:
                        usage = _wait(process)
                        break
                    except KeyboardInterrupt:  # the command had it too: it saves what it has, then ends
                        continue
            finally:
                Stages.running.discard(process)
                if in_main:
                    signal.signal(signal.SIGTERM, before)
                if output:
                    output.close()
        status = process.returncode
        return (status if status >= 0 else 128 - status), usage.ru_maxrss * KILOBYTE


def _wait(process: subprocess.Popen) -> resource.struct_rusage:
    """As process.wait(), which does not tell what the process used."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage
