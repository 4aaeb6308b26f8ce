"""`s3prl-pemr export`: files that are read elsewhere, for any length."""

import json

import pytest
import torch
from s3prl.upstream.taggers.expert import NETWORKS

import s3prl_pemr
from s3prl_pemr.__main__ import main
from s3prl_pemr.sharing import exported
from s3prl_pemr.sharing.exported import as_onnx, as_pt2, largest_difference
from s3prl_pemr.sharing.portable import portable

needs_export = pytest.mark.skipif(
    not hasattr(exported.fx_config, "backed_size_oblivious"), reason="torch's export leaves no length free"
)
LENGTHS = (1, 128, 16_384, 16_385, 70_001)


def compare(model, run):
    with torch.no_grad():
        for samples in LENGTHS:
            for items in (1, 3):
                wavs = 0.1 * torch.randn(items, samples, generator=torch.Generator().manual_seed(samples))
                expected = model(wavs, torch.full((items,), samples))
                torch.testing.assert_close(run(wavs), expected, rtol=0, atol=1e-4)


@needs_export
def test_onnx_for_any_length(tmp_path, capsys):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    out = tmp_path / "a.onnx"
    assert main(["export", "pemr", str(out)]) == 0
    said = capsys.readouterr().out
    assert "waveforms (batch, samples) at 16000 Hz -> frames (batch, frames, 512)" in said
    assert "at 8192, 16385, 54613 samples, 1e-04 allowed" in said
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map["sample_rate"] == "16000"
    assert session.get_modelmeta().custom_metadata_map["method"] == "pemr"
    compare(
        s3prl_pemr.load("pemr"),
        lambda wavs: torch.from_numpy(session.run(["frames"], {"waveforms": wavs.numpy()})[0]),
    )


@needs_export
def test_pt2_for_any_length(tmp_path):
    out = tmp_path / "a.pt2"
    assert main(["export", "pemr", str(out)]) == 0
    about = {exported.EXTRA_FILE: ""}
    program = torch.export.load(out, extra_files=about)
    assert json.loads(about[exported.EXTRA_FILE])["samples_per_frame"] == 16_384
    compare(s3prl_pemr.load("pemr"), program.module())


@needs_export
@pytest.mark.parametrize("name", ["cnn_1d", "sample_cnn"])
def test_a_network_over_patches(name):
    torch.manual_seed(0)
    model = NETWORKS[name]().eval()
    worst, _ = largest_difference(model, as_pt2(portable(model), {})[1])
    assert worst < 1e-4
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    worst, _ = largest_difference(model, as_onnx(portable(model), {})[1])
    assert worst < 1e-4


def test_a_folder(tmp_path, capsys):
    assert main(["export", "pemr", str(tmp_path / "mine")]) == 0
    assert "its README.md is the card" in capsys.readouterr().out
    assert s3prl_pemr.load(tmp_path / "mine").method == "pemr"


def test_what_differs_is_not_written():
    model = s3prl_pemr.load("pemr")
    network = portable(model)
    with pytest.raises(ValueError, match=r"differs by 1.0e-02, more than 1e-04: not written"):
        largest_difference(model, lambda wavs: 1.01 * network(wavs))
    with pytest.raises(ValueError, match=r"gives \(1, 2, 512\) instead of \(1, 1, 512\)"):
        largest_difference(model, lambda wavs: network(torch.cat([wavs, wavs, wavs], dim=1)))


@pytest.mark.parametrize(
    ("model", "out", "line"),
    [
        ("pemr", "a.pth", "OUT a.pth: .onnx, .pt2, or a folder"),
        ("pemr", "none/a.onnx", "there is no folder none"),
        ("gone.ckpt", "a.onnx", "gone.ckpt is not a file"),
        ("head.ckpt", "a.onnx", "was not written by run_pretrain.py, nor by run_downstream.py -f with one"),
    ],
)
def test_what_cannot_be_done_is_one_line(model, out, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"Downstream": {}}, "head.ckpt")
    with pytest.raises(SystemExit) as left:
        main(["export", model, out])
    assert line in str(left.value) and "\n" not in str(left.value)


def test_an_older_torch_is_one_line(monkeypatch):
    monkeypatch.setattr(exported, "fx_config", object())
    with pytest.raises(ValueError, match="export needs a newer torch than"):
        exported.exported_program(torch.nn.Identity())


def test_onnx_without_its_packages_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(SystemExit, match=r".onnx needs onnxruntime: pip install 's3prl-pemr\[onnx\]'"):
        main(["export", "pemr", str(tmp_path / "a.onnx")])
    assert not list(tmp_path.iterdir())
