"""A compiled run is the plain one: losses, resume, keys; and a machine that cannot compile goes on."""

import pytest
import torch
from pretraining_runs import equal, load, log_lines, run
from s3prl.upstream.fcn4.encoder import FCN4

from s3prl_pemr.loops import compilation
from s3prl_pemr.loops.compilation import Compiled, compile_here


@pytest.fixture
def quick_backend(monkeypatch):
    """Traces as inductor does, and runs what it traced: no C compiler."""
    monkeypatch.setattr(compilation, "BACKEND", "eager")


def barlow_twins(model_settings):
    model = {key: model_settings["model"][key] for key in ("frontend", "encoder_channels")}
    return {"method": "barlow_twins", "model": model}


def compare(tmp_path, config, model_settings, tolerance):
    config["runner"] |= {"n_epochs": 2, "log_step": 1, "save_step": 3, "max_keep": 9, "picture_step": 0}
    plain = run(tmp_path, "plain", config, model_settings)
    config["runner"]["compile"] = "on"
    compiled = run(tmp_path, "compiled", config, model_settings)
    assert plain.expert.compiled.way == "off" and compiled.expert.compiled.way == "on"
    for one, other in zip(log_lines(tmp_path / "plain"), log_lines(tmp_path / "compiled"), strict=True):
        assert one == pytest.approx(other, rel=tolerance, abs=1e-6)
    ends = [load(tmp_path / name / "states-6.ckpt") for name in ("plain", "compiled")]
    assert ends[0]["Upstream"].keys() == ends[1]["Upstream"].keys()
    states = load(tmp_path / "compiled/states-3.ckpt")
    states["Config"] = config
    run(tmp_path, "resumed", config, model_settings, states=states)
    resumed = load(tmp_path / "resumed/states-6.ckpt")
    assert all(equal(resumed[key], ends[1][key]) for key in ("Upstream", "Optimizer", "Training"))


def test_a_compiled_run_is_the_plain_one(tmp_path, config, model_settings, quick_backend):
    compare(tmp_path, config, barlow_twins(model_settings), 1e-6)


@pytest.mark.slow
def test_so_it_is_with_inductor(tmp_path, config, model_settings):
    compare(tmp_path, config, model_settings, 1e-2)


def test_the_whole_loss_is_one_graph(config, model_settings, quick_backend, tmp_path):
    pytest.importorskip("torch", minversion="2.13")  # 2.4 makes five of it
    config["runner"] |= {"n_epochs": -1, "total_steps": 2, "compile": "on", "log_step": 1, "picture_step": 0}
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    run(tmp_path, "run", config, model_settings)
    counters = torch._dynamo.utils.counters
    assert counters["stats"]["unique_graphs"] == 1  # also after the second step: nothing is compiled again
    assert not counters["graph_break"]


def test_a_machine_that_cannot_compile_says_so_and_gives_the_same_run(
    tmp_path, config, model_settings, monkeypatch, caplog
):
    def broken(graph, inputs):
        raise RuntimeError("Failed to find C compiler.\nMore about it")

    model_settings = barlow_twins(model_settings)
    config["runner"] |= {"n_epochs": 1, "picture_step": 0}
    run(tmp_path, "plain", config, model_settings)
    monkeypatch.setattr(compilation, "BACKEND", broken)
    config["runner"]["compile"] = "on"
    run(tmp_path, "broken", config, model_settings)
    assert caplog.text.count("compile: cannot be done here") == 1
    assert "this run goes on without" in caplog.text and "More about it" not in caplog.text
    ends = [load(tmp_path / name / "states-3.ckpt") for name in ("plain", "broken")]
    assert all(equal(ends[0][key], ends[1][key]) for key in ("Upstream", "Optimizer", "Training"))


def test_a_failure_in_the_backward_pass_moves_nothing(monkeypatch):
    monkeypatch.setattr(compilation, "BACKEND", "eager")
    module, tries = FCN4([4, 4, 4, 4]), []
    compiled = Compiled(module, "on")
    before = {name: buffer.clone() for name, buffer in module.named_buffers()}

    def step():
        tries.append({name: buffer.clone() for name, buffer in module.named_buffers()})
        module(torch.randn(2, 128, 32)).sum().backward()
        if len(tries) == 1:
            raise RuntimeError("of the compiled backward")
        return torch.rand(())

    compiled.first(step)
    assert compiled.way == "off" and len(tries) == 2
    assert all(torch.equal(tries[1][name], before[name]) for name in before)


def test_a_failure_that_is_not_the_compilers_is_not_called_one(quick_backend, caplog):
    def step():
        raise MemoryError("a step too large")

    with pytest.raises(MemoryError, match="a step too large") as caught:
        Compiled(FCN4([4, 4, 4, 4]), "on").first(step)
    assert caught.value.__context__ is None
    assert "compile" not in caplog.text


@pytest.mark.parametrize(
    ("way", "device", "steps", "processes", "chosen"),
    [
        ("auto", "cuda", 2_000, 1, "on"), ("auto", "cuda", 1_999, 1, "off"),
        ("auto", "cuda", 9_999, 2, "off"), ("auto", "cpu", 9_999, 1, "off"),
        ("graphs", "cpu", 1, 1, "graphs"), ("off", "cuda", 9_999, 1, "off"),
    ],
)  # fmt: skip
def test_auto(way, device, steps, processes, chosen):
    assert compile_here(way, device, steps, processes) == chosen
