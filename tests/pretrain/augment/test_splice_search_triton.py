"""The Triton kernel against the search in torch: on the CPU through triton's interpreter, and on a GPU."""

import logging
import math
import sys
from types import SimpleNamespace

import pytest
import torch
from s3prl.pretrain.augment import pitch, splice_search
from triton_runs import needs_triton, run

RATE = 16_000
SAMPLES = 8_000

INTERPRET = """
import sys
import torch
import s3prl_pemr
from s3prl.pretrain.augment import pitch, splice_search_triton

def walk(*arguments):
    places.append(splice_search_triton.edge_places(*arguments))
    return places[-1]

torch.set_num_threads(1)
pitch._walk = lambda device_type: walk
places, shifted = [], []
for batch in torch.load(sys.argv[1]):
    shifted.append(pitch.pitch_shift(*batch))
torch.save((places, shifted), sys.argv[1])
"""
COMPILE = """
import sys
import s3prl_pemr
import triton
from s3prl.pretrain.augment.splice_search_triton import _walk
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

sizes = {"HOP": 512, "LAGS": 129, "BLOCK": 256}
types = {name: "*fp32" for name in ("wavs", "decimated", "norms", "price")}
types |= {name: "*fp64" for name in ("overlaps", "lowest", "places")}
types |= {name: "constexpr" for name in sizes}
signature = {name: types.get(name, "i32") for name in _walk.arg_names}
source = ASTSource(fn=_walk, signature=signature, constexprs=sizes)
triton.compile(source, target=GPUTarget("cuda", int(sys.argv[1]), 32), options={"num_warps": 8})
"""


def tone(frequency_hz, rate=RATE, samples=SAMPLES):
    return torch.sin(2 * math.pi * frequency_hz * torch.arange(samples) / rate + 0.3)


def noise():
    return torch.randn(SAMPLES, generator=torch.Generator().manual_seed(0))


def chord(noise_level=0.1):
    roots = (130.8, 164.8, 196.0, 246.9)
    return sum(tone(root * n) / n for root in roots for n in range(1, 7)) + noise_level * noise()


def click(floor):
    wav = floor * noise()
    wav[SAMPLES // 2] = 1.0
    return wav


def one_nan():
    wav = chord()
    wav[5000] = math.nan
    return wav


CLIPS = {
    "tone up": (tone(440.0), 700.0),
    "tone down": (tone(97.0), -300.0),
    "chord down": (chord(), -700.0),
    "chord up": (chord(), 500.0),
    "chord unshifted": (chord(), 0.0),
    "noise down": (noise(), -700.0),
    "noise up": (noise(), 700.0),
    "click in noise": (click(1e-3), 300.0),
    "click in silence": (click(0.0), 300.0),
    "silence": (torch.zeros(SAMPLES), 700.0),
    "NaN": (one_nan(), 200.0),
}
NAMES = list(CLIPS)
BATCHES = [
    (
        torch.stack([wav for wav, _ in CLIPS.values()]),
        torch.tensor([cents for _, cents in CLIPS.values()]),
        RATE,
    ),
    # Templates that fill no tile (88 and 176 samples); those of 353 take two, and a sample is left over.
    (tone(440.0, 11_025, 5_001)[None], torch.tensor([400.0]), 11_025),
    (tone(440.0, 22_050, 8_191)[None], torch.tensor([-400.0]), 22_050),
]


def places_and_shifted(walk, batches):
    """Of each batch, with the edges walked by this function."""
    places, shifted = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pitch, "_walk", lambda device_type: lambda *a: places.append(walk(*a)) or places[-1])
        for batch in batches:
            shifted.append(pitch.pitch_shift(*batch))
    return places, shifted


@pytest.fixture(scope="module")
def reference():
    return places_and_shifted(splice_search.edge_places, BATCHES)


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory):
    path = tmp_path_factory.mktemp("interpreted") / "batches.pt"
    torch.save(BATCHES, path)
    run(INTERPRET, path, TRITON_INTERPRET="1")
    return torch.load(path)


@needs_triton
@pytest.mark.parametrize("name", NAMES)
def test_the_kernel_finds_the_same_places(interpreted, reference, name):
    found, expected = (places[0][NAMES.index(name)] for places, _ in (interpreted, reference))
    assert found.dtype == torch.float64
    assert torch.allclose(found, expected, rtol=0, atol=1e-3)  # in samples; 3e-5 was measured


@needs_triton
def test_in_silence_the_kernel_decides_between_equals_as_torch_does(interpreted, reference):
    row = NAMES.index("silence")
    assert torch.equal(interpreted[0][0][row], reference[0][0][row])
    assert not interpreted[1][0][row].any()


@needs_triton
@pytest.mark.parametrize("batch", [1, 2])
def test_the_kernel_at_other_rates(interpreted, reference, batch):
    assert torch.allclose(interpreted[0][batch], reference[0][batch], rtol=0, atol=1e-3)


@needs_triton
def test_the_kernel_gives_the_same_shifted_clips(interpreted, reference):
    for found, expected in zip(interpreted[1], reference[1], strict=True):
        assert torch.allclose(found, expected, rtol=0, atol=1e-4, equal_nan=True)


@needs_triton
@pytest.mark.parametrize("capability", [75, 90])
def test_the_kernel_compiles_without_a_gpu(tmp_path, capability):
    run(COMPILE, capability, TRITON_CACHE_DIR=str(tmp_path), TRITON_INTERPRET="0")


@needs_triton
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_kernel_on_a_gpu(reference):
    from s3prl.pretrain.augment import splice_search_triton

    assert pitch._walk("cuda") is splice_search_triton.edge_places

    def on_the_gpu(search, overlap, lowest, first_place):
        # The same spectrum for both: another FFT's rounding may decide between equals in digital silence.
        there = {
            name: value.cuda() if torch.is_tensor(value) else value for name, value in vars(search).items()
        }
        walk = splice_search_triton.edge_places
        return walk(SimpleNamespace(**there), overlap.cuda(), lowest.cuda(), first_place).cpu()

    places, shifted = places_and_shifted(on_the_gpu, BATCHES)
    for found, expected in zip(places + shifted, reference[0] + reference[1], strict=True):
        assert torch.allclose(found, expected, rtol=0, atol=1e-3, equal_nan=True)


@needs_triton
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_shifted_on_a_gpu(reference):
    music = [row for row, name in enumerate(NAMES) if name.startswith(("tone", "chord"))]
    wavs, cents, rate = BATCHES[0]
    shifted = pitch.pitch_shift(wavs[music].cuda(), cents[music], rate).cpu()
    assert torch.allclose(shifted, reference[1][0][music], rtol=0, atol=1e-3)


@pytest.fixture
def choose():
    pitch._walk.cache_clear()
    yield pitch._walk
    pitch._walk.cache_clear()


def test_a_cpu_walks_in_torch(choose):
    assert choose("cpu") is splice_search.edge_places


def test_a_gpu_walks_in_the_kernel(choose, monkeypatch):
    kernel = SimpleNamespace(buildable=lambda: True, edge_places=object())
    monkeypatch.setattr(sys.modules[pitch.__package__], "splice_search_triton", kernel, raising=False)
    assert choose("cuda") is kernel.edge_places


def no_compiler():
    raise RuntimeError("Failed to find C compiler.")


@pytest.mark.parametrize(
    ("buildable", "reason"),
    [(no_compiler, "RuntimeError: Failed to find"), (lambda: False, "this GPU is older")],
)
def test_a_gpu_without_the_kernel_walks_in_torch_and_says_so_once(
    choose, monkeypatch, caplog, buildable, reason
):
    kernel = SimpleNamespace(buildable=buildable)
    monkeypatch.setattr(sys.modules[pitch.__package__], "splice_search_triton", kernel, raising=False)
    with caplog.at_level(logging.WARNING):
        assert choose("cuda") is choose("cuda") is splice_search.edge_places
    assert caplog.text.count(f"no Triton kernel ({reason}") == 1


def test_a_gpu_without_triton_walks_in_torch(choose, monkeypatch, caplog):
    package = sys.modules[pitch.__package__]
    monkeypatch.delattr(package, "splice_search_triton", raising=False)
    monkeypatch.setitem(sys.modules, f"{package.__name__}.splice_search_triton", None)
    assert choose("cuda") is splice_search.edge_places
    assert "no Triton kernel" in caplog.text
