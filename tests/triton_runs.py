"""Kernels in processes of their own: TRITON_INTERPRET acts on all of them, when triton is imported."""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.version import Version

OLDEST = "3.7"  # of setup.cfg; where an older one fails, the plain layers do the work, with a warning


def _is_new_enough() -> bool:
    try:
        return Version(version("triton")) >= Version(OLDEST)
    except PackageNotFoundError:
        return False


needs_triton = pytest.mark.skipif(
    not _is_new_enough(), reason=f"needs triton {OLDEST}: pip install 's3prl-pemr[triton]'"
)


def run(code, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
    )
    assert done.returncode == 0, done.stderr
