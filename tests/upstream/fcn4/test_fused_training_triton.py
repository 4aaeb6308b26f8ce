"""The first block's Triton kernels against its plain layers: through triton's interpreter, and on a GPU."""

import copy
import logging
import sys
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from s3prl.upstream.fcn4 import fused_training, fused_training_cpu
from s3prl.upstream.fcn4.encoder import FCN4, Block
from triton_runs import needs_triton, run

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
POOL = (2, 4)

INTERPRET = """
import sys
import torch
import s3prl_pemr
from s3prl.upstream.fcn4 import fused_training, fused_training_triton
from s3prl.upstream.fcn4.fused_training import conv_norm_pool_relu

torch.set_num_threads(1)
fused_training.kernels = lambda device_type: fused_training_triton
cases, half = torch.load(sys.argv[1], weights_only=False)
found = {}
for name, (block, x, lengths, gradient) in cases.items():
    out = conv_norm_pool_relu(x, block.conv, block.norm, (2, 4), lengths)
    out.backward(gradient)
    gradients = {name: value.grad for name, value in block.named_parameters()}
    found[name] = {"out": out.detach(), **gradients, **dict(block.named_buffers())}
x, kernel, slope, offset, lengths, gradient = half
out, kept = fused_training_triton.winners(x, kernel, slope, offset, (2, 4), lengths, gradient.dtype)
half = out, fused_training_triton.winner_sums(gradient, (2, 4), *kept)
torch.save((found, half), sys.argv[1])
"""
COMPILE = """
import sys
import s3prl_pemr
import triton
from s3prl.upstream.fcn4 import fused_training_triton, patch_sums_triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

sizes = {"BINS": 2, "FRAMES": 4, "CHANNELS": 64, "CHANNEL_BLOCK": 64, "WINDOW_BLOCK": 16}
types = {name: "*fp32" for name in ("lines", "kernel", "slope", "offset", "partial")}
types |= {"lengths": "*i64", "output": "*bf16", "gradient": "*bf16", "winner": "*u8"}
types |= {name: "constexpr" for name in sizes}
kernels = patch_sums_triton._patch_sums, fused_training_triton._winners, fused_training_triton._winner_sums
for kernel in kernels:
    signature = {name: types.get(name, "i32") for name in kernel.arg_names}
    constants = {name: value for name, value in sizes.items() if name in signature}
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants)
    triton.compile(source, target=GPUTarget("cuda", int(sys.argv[1]), 32))
"""


def case(channels, bins, frames, lengths=None, zeroed=None):
    """Block in float32, frames as the encoder hands them on, lengths, and the gradient of what comes out."""
    generator = torch.Generator().manual_seed(frames)
    torch.manual_seed(channels)
    block = Block(1, channels, POOL)
    with torch.no_grad():
        block.norm.weight.uniform_(-2, 2)
        block.norm.weight[3] = 0
        block.norm.bias.normal_()
        block.norm.bias[3] = 0.5
    x = torch.randn(len(lengths or [0, 0]), frames, bins, generator=generator) + 0.3
    if zeroed is not None:
        x[:, zeroed] = 0
    out = len(x), channels, bins // POOL[0], -(-frames // POOL[1])
    gradient = torch.randn(out, generator=generator)
    return block, x.transpose(1, 2)[:, None], None if lengths is None else torch.tensor(lengths), gradient


CASES = {
    "whole windows": case(5, 8, 16),
    "one frame": case(5, 4, 1),
    "odd frames": case(5, 8, 37),
    "64 channels": case(64, 4, 81),
    "two programs each": case(64, 2, 519),
    "lengths": case(5, 8, 30, [30, 9, 1, 0, 16]),
    "lengths of 64 channels": case(64, 4, 14, [14, 9, 3]),
    "zeroed frames": case(5, 8, 40, zeroed=slice(7, 31)),
    "silence at the end": case(5, 8, 40, [40, 22], zeroed=slice(22, None)),
}
NAMES = list(CASES)


def half_case():
    block, x, lengths, gradient = case(5, 8, 30, [30, 9, 13])
    block = block.requires_grad_(False)
    gradient = gradient.permute(0, 2, 3, 1).bfloat16()
    return x, block.conv.weight.flatten(1), block.norm.weight.abs(), block.norm.bias, lengths, gradient


def layers(block, x, lengths, gradient):
    """What plain layers give in float64, forward and backward."""
    block = copy.deepcopy(block).double()
    maps = block.norm(block.conv(x.double()))
    if lengths is not None:
        maps = maps * (torch.arange(x.shape[-1]) < lengths[:, None])[:, None, None, :]
    out = F.relu(F.max_pool2d(maps, POOL, ceil_mode=True))
    out.backward(gradient.double())
    return state(block, out)


def products(block, x, lengths, gradient):
    """What `fused_training_cpu.py` gives in float32."""
    block = copy.deepcopy(block)
    out = fused_training.conv_norm_pool_relu(x, block.conv, block.norm, POOL, lengths)
    out.backward(gradient)
    return state(block, out)


def state(block, out):
    gradients = {name: value.grad for name, value in block.named_parameters()}
    return {"out": out.detach(), **gradients, **dict(block.named_buffers())}


def assert_equal(found, expected):
    assert found["out"].is_contiguous(memory_format=torch.channels_last)
    assert not found["conv.bias"].any()
    for name in expected.keys() - {"conv.bias"}:
        value = expected[name].double()
        largest = value.abs().max().item()
        assert torch.allclose(found[name].cpu().double(), value, rtol=1e-4, atol=1e-5 * largest), name


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory):
    path = tmp_path_factory.mktemp("interpreted") / "cases.pt"
    torch.save((CASES, half_case()), path)
    run(INTERPRET, path, TRITON_INTERPRET="1")
    return torch.load(path, weights_only=False)


@needs_triton
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reference", [layers, products])
def test_equals_outputs_gradients_and_statistics(interpreted, name, reference):
    assert_equal(interpreted[0][name], reference(*CASES[name]))


@needs_triton
def test_the_output_in_half_precision_and_the_sums_of_such_a_gradient(interpreted):
    *arguments, gradient = half_case()
    *arguments, lengths = arguments
    out, sums = interpreted[1]
    expected, kept = fused_training_cpu.winners(*arguments, POOL, lengths, gradient.dtype)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out, expected)
    expected = fused_training_cpu.winner_sums(gradient.float(), POOL, *kept)
    for found, wanted in zip(sums, expected, strict=True):
        assert found.dtype == torch.float64
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


@needs_triton
@pytest.mark.parametrize("capability", [75, 90])
def test_the_kernels_compile_without_a_gpu(tmp_path, capability):
    run(COMPILE, capability, TRITON_CACHE_DIR=str(tmp_path), TRITON_INTERPRET="0")


@needs_triton
@needs_gpu
@pytest.mark.parametrize("name", NAMES)
def test_on_a_gpu(name):
    block, x, lengths, gradient = CASES[name]
    found = copy.deepcopy(block).cuda()
    lengths_there = None if lengths is None else lengths.cuda()
    x, gradient = x.cuda(), gradient.cuda()
    assert found._fits_fused(x)
    assert not found.double()._fits_fused(x.double())
    found = found.float()
    torch.cuda.set_sync_debug_mode("error")
    try:
        out = found(x, lengths_there)
        out.backward(gradient)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert_equal(state(found, out), layers(*CASES[name]))


@needs_triton
@needs_gpu
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_under_autocast_on_a_gpu(dtype):
    torch.manual_seed(0)
    encoder = FCN4((64, 4, 4, 4)).cuda()
    frames = torch.randn(3, 130, 32, device="cuda")
    with torch.autocast("cuda", dtype=dtype):
        out = encoder.blocks[0](frames.transpose(1, 2)[:, None])
        encoder(frames).float().square().sum().backward()
    assert out.dtype == dtype
    expected = encoder.blocks[0](frames.transpose(1, 2)[:, None])
    torch.testing.assert_close(out.float(), expected, rtol=1e-2, atol=1e-2)
    assert all(value.grad.dtype == torch.float32 for value in encoder.parameters())
    assert all(value.grad.isfinite().all() for value in encoder.parameters())


@pytest.fixture
def choose():
    fused_training.kernels.cache_clear()
    yield fused_training.kernels
    fused_training.kernels.cache_clear()


def missing():
    raise RuntimeError("Failed to find C compiler.")


def test_a_gpu_takes_the_kernels_in_float32_alone(choose, monkeypatch):
    made = SimpleNamespace(check=lambda: None)
    package = sys.modules[fused_training.__package__]
    monkeypatch.setattr(package, "fused_training_triton", made, raising=False)
    assert choose("cuda") is made
    assert choose("cpu") is fused_training_cpu
    assert choose("mps") is None
    there = {"is_cuda": True, "device": torch.device("cuda")}
    assert fused_training.fits(SimpleNamespace(dtype=torch.float32, **there))
    assert not fused_training.fits(SimpleNamespace(dtype=torch.float64, **there))
    assert not fused_training.fits(SimpleNamespace(dtype=torch.bfloat16, **there))


def test_a_gpu_without_the_kernels_has_plain_layers_and_says_so_once(choose, monkeypatch, caplog):
    package = sys.modules[fused_training.__package__]
    monkeypatch.setattr(package, "fused_training_triton", SimpleNamespace(check=missing), raising=False)
    with caplog.at_level(logging.WARNING):
        assert choose("cuda") is choose("cuda") is None
    assert caplog.text.count("no Triton kernel (RuntimeError: Failed to find C compiler.)") == 1


def test_a_gpu_without_triton_has_plain_layers(choose, monkeypatch, caplog):
    package = sys.modules[fused_training.__package__]
    monkeypatch.delattr(package, "fused_training_triton", raising=False)
    monkeypatch.setitem(sys.modules, f"{package.__name__}.fused_training_triton", None)
    assert choose("cuda") is None
    assert "no Triton kernel" in caplog.text
