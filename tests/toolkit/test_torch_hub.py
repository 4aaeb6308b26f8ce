"""torch.hub on a checkout, which is how s3prl itself is used."""

import subprocess
import sys

import pytest
import torch
from places import ROOT

import s3prl_pemr


def test_a_checkout_is_a_hub():
    model = torch.hub.load(str(ROOT), "pemr", source="local")
    wav = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = model([wav])["last_hidden_state"]
        expected = s3prl_pemr.load("pemr")(wav[None], torch.tensor([20_000]))
    torch.testing.assert_close(found, expected)
    with pytest.raises(RuntimeError, match="Cannot find callable pemrr"):
        torch.hub.load(str(ROOT), "pemrr", source="local")


def test_its_names_are_those_of_the_hub():
    code = "import hubconf, sys; print(*dir(hubconf)); print('transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    names, heavy = done.stdout.splitlines()[-2:]
    assert {"pemr", "pemr_random", "fbank_no_cmvn"} <= set(names.split()), done.stderr
    assert heavy == "False"
