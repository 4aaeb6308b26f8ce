"""The first block's operators are as torch.compile wants them: shapes as announced, memory of their own."""

import torch
from s3prl.upstream.fcn4 import fused_training_ops as ops
from triton_runs import needs_triton, run

INTERPRET = """
import torch
import s3prl_pemr
from s3prl.upstream.fcn4 import fused_training, fused_training_ops as ops, fused_training_triton as kernels

torch.set_num_threads(1)
fused_training.kernels = lambda device_type: kernels
x = torch.randn(2, 6, 4).transpose(1, 2)[:, None]  # as the encoder has its frames: lines in memory
kernel, slope, offset = torch.randn(5, 9), torch.rand(5), torch.randn(5)
block = x, kernel, slope, offset, (2, 4), None, x.dtype
output, kept = ops.winners(*block)
gradient = torch.randn_like(output)
found = *ops.patch_sums(x), output, *kept, *ops.winner_sums(gradient, (2, 4), *kept)
plain, held = kernels.winners(*block)
expected = *kernels.patch_sums(x), plain, *held, *kernels.winner_sums(gradient, (2, 4), *held)
for one, other in zip(found, expected, strict=True):
    assert torch.equal(one, other) and one.is_contiguous()
"""


def test_on_a_cpu():
    x = torch.randn(2, 6, 4).transpose(1, 2)[:, None]
    kernel, slope, offset = torch.randn(5, 9), torch.rand(5), torch.randn(5)
    tests = ("test_schema", "test_faketensor")
    torch.library.opcheck(ops._patch_sums, (x,), test_utils=tests)
    for lengths in (None, torch.tensor([6, 3])):
        block = x, kernel, slope, offset, [2, 4], lengths, x.dtype
        torch.library.opcheck(ops._winners, block, test_utils=tests)
        output, *kept = ops._winners(*block)
        torch.library.opcheck(ops._winner_sums, (torch.randn_like(output), [2, 4], kept), test_utils=tests)


@needs_triton
def test_with_the_kernels_of_a_gpu():
    run(INTERPRET, TRITON_INTERPRET="1")
