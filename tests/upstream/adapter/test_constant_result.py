"""The mark that a compiler looks for is torch's own."""

import subprocess
import sys

import torch
from s3prl.upstream.adapter.constant_result import constant_result


def test_it_marks_as_torch_does():
    def ours():
        """."""

    def theirs():
        """."""

    assert constant_result(ours) is ours
    torch.compiler.assume_constant_result(theirs)
    assert vars(ours) == vars(theirs) != {}


def test_the_upstreams_start_without_the_compiler():
    line = "import sys, s3prl_pemr, s3prl.upstream.pemr.model; assert 'torch._dynamo' not in sys.modules"
    subprocess.run([sys.executable, "-c", line], check=True, timeout=60)
