"""In the environment that `make setup` makes, other packages may come before ours."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not Path(sys.prefix, "ready").is_file(), reason="not an environment of `make setup`")
@pytest.mark.parametrize("before", ["import torchaudio", "from transformers import HubertModel"])
def test_what_needs_torchaudio_may_be_imported_first(before):
    code = f"{before}; import s3prl_pemr, torchaudio; from s3prl import hub; hub.pemr_random"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
