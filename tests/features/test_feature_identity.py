"""What makes another folder of the feature cache: other weights, other code, another torch."""

import importlib
import os
import shutil
import subprocess
import sys

import pytest
import s3prl.upstream
import torch
import xxhash
from counting_upstream import Counting, cached
from places import ROOT
from s3prl import hub

from s3prl_pemr.features.code_version import code_version
from s3prl_pemr.features.identity import weights_identity

WAVS = [torch.linspace(-1, 1, samples) for samples in (2_000, 3_000)]
URL = "https://example.org/model.ckpt"


class Weighted(Counting):
    """A layer, a saved buffer and one that is not saved."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)
        with torch.no_grad():
            self.layer.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
            self.layer.bias.zero_()
        self.register_buffer("mean", torch.tensor(5.0))
        self.register_buffer("window", torch.ones(3, dtype=torch.int16), persistent=False)


def test_the_hash_of_weights_by_hand():
    expected = xxhash.xxh3_128_hexdigest(
        b"mean\ntorch.float32\n()\n"
        + bytes.fromhex("0000a040")  # 5.0
        + b"layer.weight\ntorch.float32\n(2, 2)\n"
        + bytes.fromhex("0000803f 00000040 00004040 00008040")
        + b"layer.bias\ntorch.float32\n(2,)\n"
        + bytes(8)
        + b"window\ntorch.int16\n(3,)\n"
        + bytes.fromhex("0100 0100 0100")
    )
    assert list(Weighted().state_dict()) == ["mean", "layer.weight", "layer.bias"]
    assert weights_identity(Weighted()) == expected


def change_a_weight(model):
    model.layer.weight.data[1, 0] += 1e-6


def change_a_buffer(model):
    model.mean += 1


def change_an_unsaved_buffer(model):
    model.window[2] = 2


def change_a_type(model):
    model.layer.bias.data = torch.zeros(2, dtype=torch.int32)  # the same bytes
    assert model.layer.bias.data.numpy().tobytes() == bytes(8)


def change_a_shape(model):
    model.layer.weight.data = model.layer.weight.data.reshape(4, 1)


@pytest.mark.parametrize(
    "change", [change_a_weight, change_a_buffer, change_an_unsaved_buffer, change_a_type, change_a_shape]
)
def test_other_weights_at_the_same_address_have_another_folder(tmp_path, change):
    (first, _), (same, _) = (cached(tmp_path, Weighted(), upstream_ckpt=URL) for _ in range(2))
    first(WAVS)
    same(WAVS)
    assert (same.hits, same.misses) == (2, 0)
    model = Weighted().requires_grad_(False)
    change(model)
    other, _ = cached(tmp_path, model, upstream_ckpt=URL)
    other(WAVS)
    assert (other.hits, other.misses) == (0, 2)


def test_names_and_order_count():
    one, two = torch.nn.ModuleDict({"a": Weighted()}), torch.nn.ModuleDict({"b": Weighted()})
    assert weights_identity(one) != weights_identity(two)
    layers = [torch.nn.Linear(1, 1) for _ in range(2)]
    assert weights_identity(torch.nn.Sequential(*layers)) != weights_identity(
        torch.nn.Sequential(*layers[::-1])
    )


@pytest.mark.filterwarnings("ignore:At least one mel filterbank")
def test_noise_that_decides_nothing_does_not_count(tmp_path):
    folders, noise = [], []
    for seed in (1, 2):
        torch.manual_seed(seed)
        model = hub.mel()
        noise.append(model.extracter._pseudo_wavs)
        folders.append(cached(tmp_path, model)[0].files.folder)
    assert not torch.equal(*noise)
    assert folders[0] == folders[1]


@pytest.mark.parametrize(("version", "same"), [("2.98.7+cpu", True), ("2.99.0+cpu", False)])
def test_torchs_minor_version_counts_and_its_patch_does_not(tmp_path, monkeypatch, version, same):
    monkeypatch.setattr(torch, "__version__", "2.98.0")
    before = cached(tmp_path, Counting())[0].files.folder
    monkeypatch.setattr(torch, "__version__", version)
    assert (cached(tmp_path, Counting())[0].files.folder == before) is same


MADE_UP = {
    "__init__": "",
    "model": """import torch
from s3prl.upstream.madeup.padding import pad
class Parent(torch.nn.Module): pass
class Model(Parent):
    def forward(self, x):
        from . import lazy
        return lazy.halve(pad(x))
""",
    "padding": "from .constants import ZERO\ndef pad(x): return x + ZERO\n",
    "constants": "ZERO = 0\n",
    "lazy": "def halve(x): return x / 2\n",
    "unused": "",
}


@pytest.fixture
def made_up(monkeypatch):
    """Writes s3prl.upstream.madeup to a folder and imports it from there, as another process would."""

    def build(folder):
        package = folder / "madeup"
        package.mkdir(parents=True)
        for name, source in MADE_UP.items():
            (package / f"{name}.py").write_text(source)
        for name in [name for name in sys.modules if name.startswith("s3prl.upstream.madeup")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr(s3prl.upstream, "__path__", [*s3prl.upstream.__path__, str(folder)])
        return importlib.import_module("s3prl.upstream.madeup.model").Model(), package

    path = s3prl.upstream.__path__
    yield build
    s3prl.upstream.__path__ = path
    for name in [name for name in sys.modules if name.startswith("s3prl.upstream.madeup")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("name", "counts"),
    [("model", True), ("padding", True), ("constants", True), ("lazy", True), ("unused", False)],
)
def test_a_changed_source_is_another_version(tmp_path, made_up, name, counts):
    model, package = made_up(tmp_path)
    before = code_version(model)
    (package / f"{name}.py").write_bytes(MADE_UP[name].replace("\n", "\r\n").encode())
    assert code_version(model) == before  # a checkout with Windows' line ends
    (package / f"{name}.py").write_text(MADE_UP[name] + "# changed\n")
    assert (code_version(model) != before) is counts


def test_another_folder_is_no_other_version(tmp_path, made_up, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(s3prl.upstream, "__path__", list(s3prl.upstream.__path__))
        one, _ = made_up(tmp_path / "one")
        version = code_version(one)
    other, package = made_up(tmp_path / "other")
    assert str(package) in sys.modules["s3prl.upstream.madeup.model"].__file__
    assert code_version(other) == version


def test_a_parents_module_counts(tmp_path, made_up):
    model, package = made_up(tmp_path)

    class Child(type(model)):
        pass

    before = code_version(Child())
    (package / "model.py").write_text(MADE_UP["model"] + "# changed\n")
    assert code_version(Child()) != before


def test_torch_does_not_count_and_the_cache_does():
    plain = code_version(torch.nn.Linear(2, 2))
    assert plain == code_version(torch.nn.ReLU())
    assert code_version(torch.nn.ReLU(), also=["s3prl_pemr.features.cached_upstream"]) != plain


PRINT = """
import s3prl_pemr
from s3prl import hub
from s3prl_pemr.features.code_version import code_version
from s3prl_pemr.features.identity import weights_identity
model = hub.pemr_random()
print(s3prl_pemr.__file__, code_version(model), weights_identity(model))
"""


def test_a_copy_of_the_checkout_in_another_process_has_the_same_identity(tmp_path):
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in ("s3prl_pemr", "upstream"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignore)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONHASHSEED": "5"}
    done = subprocess.run(
        [sys.executable, "-c", PRINT], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    file, code, weights = done.stdout.split()[-3:]
    model = hub.pemr_random()
    assert file.startswith(str(tmp_path))
    assert (code, weights) == (code_version(model), weights_identity(model))
