import os
import signal
import subprocess
import sys

import pytest

from s3prl_pemr.safety.sole_writer import Occupied, sole_writer

HOLD = """
import sys, time
from pathlib import Path
from s3prl_pemr.safety.sole_writer import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_and_a_killed_one_locks_nobody_out(tmp_path):
    command = [sys.executable, "-c", HOLD, tmp_path / "run"]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    refused = pytest.raises(
        Occupied, match=f"another command .process {holder.pid}. .* wait for it, or choose"
    )
    with refused, sole_writer(tmp_path / "run"):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    with sole_writer(tmp_path / "run"):
        assert (tmp_path / "run/run.lock").read_text() == f"{os.getpid()}\n"
