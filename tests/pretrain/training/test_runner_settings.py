"""Settings of the runner: in force, saved, refused."""

import pytest
import torch
from pretraining_runs import load, run
from s3prl.pretrain.training import precision
from s3prl.pretrain.training.runner import PretrainRunner


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gradient_accumulate_steps": 2}, "accumulating smaller batches is a different experiment"),
        ({"n_epochs": 0}, "n_epochs or total_steps must be at least 1"),
        ({"precision": "fp8"}, "precision 'fp8' is not one of auto, fp32, bf16, fp16"),
        ({"compile": "yes"}, "compile 'yes' is not one of auto, on, graphs, off"),
        ({"precision": "fp16"}, "precision fp16 needs a CUDA device, not cpu"),
        ({"probe_every_epochs": 1}, "probe_every_epochs needs probe_store"),
        ({"save_steps": 1}, "Key 'save_steps' not in 'RunnerConfig'"),
        ({"gradient_clipping": -1.0}, "gradient_clipping must be above 0"),
    ],
)
def test_settings_that_make_no_sense_are_named(tmp_path, config, model_settings, settings, message):
    config["runner"] |= settings
    with pytest.raises(ValueError, match=message):
        PretrainRunner(tmp_path, config, model_settings, "cpu", rank=0, states=None)


@pytest.mark.parametrize(
    ("datarc", "named"),
    [
        ({"train_batch_size": 6}, "train_batch_size"),
        ({"seed": 8}, "seed"),
        ({"crop_samples": 9_000}, "crop_samples"),
    ],
)
def test_other_data_is_refused_on_resume(tmp_path, config, model_settings, datarc, named):
    config["runner"]["n_epochs"] = 1
    run(tmp_path, "run", config, model_settings)
    states = load(tmp_path / "run/states-3.ckpt")
    config["pretrain_expert"]["datarc"] |= datarc
    with pytest.raises(ValueError, match=f"^{named} of .* is not what this run began with"):
        PretrainRunner(tmp_path, config, model_settings, "cpu", rank=0, states=states)


def test_other_audio_is_refused_on_resume(tmp_path, config, model_settings):
    config["runner"]["n_epochs"] = 1
    run(tmp_path, "run", config, model_settings)
    states = load(tmp_path / "run/states-3.ckpt")
    states["Data"]["fingerprint"] = "of other audio"
    with pytest.raises(ValueError, match="^fingerprint of .* is not what this run began with"):
        PretrainRunner(tmp_path, config, model_settings, "cpu", rank=0, states=states)


def test_a_rate_changed_on_resume_is_in_force(tmp_path, config, model_settings):
    config["runner"]["n_epochs"] = 1
    run(tmp_path, "run", config, model_settings)
    states = load(tmp_path / "run/states-3.ckpt")
    config["optimizer"]["lr"] = 1e-6
    runner = PretrainRunner(tmp_path, config, model_settings, "cpu", rank=0, states=states)
    assert [group["lr"] for group in runner.optimizer.param_groups] == [1e-6]


def test_the_saved_settings_are_those_in_force(tmp_path, config, model_settings):
    config["runner"]["n_epochs"] = 1
    run(tmp_path, "run", config, model_settings)
    states = load(tmp_path / "run/states-3.ckpt")
    assert states["Upstream_Config"]["model"]["mask_ratio"] == 0.1  # not written in the test's settings
    assert states["Upstream_Config"]["augment"]["pitch_probability"] == 0.6
    assert states["Config"]["runner"]["precision"] == "fp32"


def test_an_automatic_precision_is_kept_for_the_run_that_goes_on(
    tmp_path, config, model_settings, monkeypatch
):
    monkeypatch.setattr(precision, "bf16_speed_up", lambda: 2.0)
    config["runner"] |= {"n_epochs": 1, "precision": "auto"}
    run(tmp_path, "run", config, model_settings)
    saved = load(tmp_path / "run/states-3.ckpt")["Config"]
    assert saved["runner"]["precision"] == "bf16"
    monkeypatch.setattr(precision, "bf16_speed_up", lambda: 0.5)
    states = load(tmp_path / "run/states-3.ckpt")
    runner = PretrainRunner(tmp_path / "run", saved, states["Upstream_Config"], "cpu", 0, states)
    assert runner.precision.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scheduller": {}}, "runner config: Key 'scheduller' not in 'RunnerFile'"),
        ({"pretrain_expert": {"dataarc": {}}}, "Key 'dataarc' not in 'ExpertConfig'"),
        (
            {"optimizer": {"name": "TorchOptim", "torch_optim_name": "Adam", "lrr": 1}},
            "optimizer or scheduler.*'lrr'",
        ),
        ({"optimizer": {"name": "Nobody"}}, "optimizer or scheduler of the runner config: .*Nobody"),
    ],
)
def test_unknown_keys_of_the_file_are_named(tmp_path, config, model_settings, settings, message):
    with pytest.raises(ValueError, match=message):
        PretrainRunner(tmp_path, config | settings, model_settings, "cpu", rank=0, states=None)
