"""The baselines in PEMR's runner: resume, checkpoints, hub names, messages."""

import pytest
import torch
import yaml
from baseline_methods import BASELINES, narrow
from pretraining_runs import equal, load, log_lines, run
from s3prl import hub

from s3prl_pemr.launch.pretrain_arguments import default_configs, parse_arguments


def quick(config, steps=3):
    config["runner"] |= {"total_steps": steps, "save_step": steps, "picture_step": 2}
    return config


@pytest.mark.parametrize("name", BASELINES)
def test_a_run_leaves_a_checkpoint_that_u_and_k_take(tmp_path, config, name):
    quick(config)
    if name == "clmr":
        config["runner"]["total_steps"] = 1
        config["pretrain_expert"]["datarc"]["train_batch_size"] = 2
    runner = run(tmp_path, name, config, narrow(name))
    steps = runner.step
    path = tmp_path / name / f"states-{steps}.ckpt"
    states = load(path)
    assert (states["Method"], states["Step"]) == (name, steps)
    assert states["Data"]["fingerprint"] == runner.expert.dataset.store.fingerprint
    assert not set(states["Upstream"]) & set(states["Training"])
    wavs = [torch.randn(20_000), torch.randn(70_000)]
    rate = 59_049 if name == "clmr" else 16_384
    entry = getattr(hub, name)
    assert getattr(hub, f"{name}_local") is entry
    expert = entry(ckpt=str(path), model_config=None, refresh=False)
    assert not expert.model.training
    assert expert.get_downsample_rates("hidden_states") == rate
    with torch.no_grad():
        features = expert(wavs)["hidden_states"][0]
        alone = expert(wavs[:1])["hidden_states"][0]
    assert features.shape == (2, -(-70_000 // rate), runner.expert.method.model.output_dim)
    torch.testing.assert_close(features[0, : alone.shape[1]], alone[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["moco", "byol", "pemr_random_mask"])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, config, name):
    config["runner"]["max_keep"] = 9
    whole = run(tmp_path, "whole", config, narrow(name))
    states = load(tmp_path / "whole/states-4.ckpt")
    resumed = run(tmp_path, "resumed", states["Config"], states["Upstream_Config"], states=states)
    final, expected = (load(tmp_path / f"{n}/states-9.ckpt") for n in ("resumed", "whole"))
    for key in ("Step", "Optimizer", "Upstream", "Training", "Upstream_Config", "Random"):
        assert equal(final[key], expected[key]), key
    assert equal(resumed.expert.method.state_dict(), whole.expert.method.state_dict())
    assert log_lines(tmp_path / "resumed") == [x for x in log_lines(tmp_path / "whole") if x["step"] > 4]
    held = {
        "moco": {"queue", "position", "key_encoder", "projector"},
        "byol": {"updates", "target", "predictor", "projector"},
        "pemr_random_mask": {"projector"},
    }
    assert {key.split(".")[0] for key in final["Training"]} == held[name]


def test_the_queue_is_bounded_by_the_store_and_the_checkpoint_says_so(tmp_path, config, caplog):
    run(tmp_path, "run", quick(config), narrow("moco", queue_size=4080))
    states = load(tmp_path / "run/states-3.ckpt")
    assert "queue_size 4080 becomes 12: below the 14 tracks and a multiple of the batch of 4" in caplog.text
    assert states["Upstream_Config"]["objective"]["queue_size"] == len(states["Training"]["queue"]) == 12


def test_a_checkpoint_of_another_method_is_refused(tmp_path, config):
    run(tmp_path, "run", quick(config), narrow("simclr"))
    path = str(tmp_path / "run/states-3.ckpt")
    for entry, named in ((hub.byol, "byol"), (hub.pemr, "pemr"), (hub.moco_v2_local, "moco_v2")):
        with pytest.raises(ValueError, match=f"is of -u simclr, not of -u {named}"):
            entry(ckpt=path)
    with pytest.raises(ValueError, match="-u cola needs a checkpoint: pass -k CKPT"):
        hub.cola()
    with pytest.raises(ValueError, match="-g is not for -u simclr"):
        hub.simclr(ckpt=path, model_config="model.yaml")


def arguments(*argv):
    args = parse_arguments([*argv, "-n", "x"])
    args.device = "cpu"
    return args


@pytest.mark.parametrize("name", BASELINES)
def test_default_configs_are_pemr_s_but_for_clmr_s_crops(name):
    config, model = default_configs(arguments("-u", name))
    of_pemr, _ = default_configs(arguments("-u", "pemr"))
    assert model["method"] == name
    assert config["optimizer"] == of_pemr["optimizer"]
    crop_samples = config["pretrain_expert"]["datarc"]["crop_samples"]
    assert crop_samples == (59_049 if name == "clmr" else 43_200)


def test_mistakes_end_in_one_line(tmp_path):
    (tmp_path / "moco.yaml").write_text(yaml.safe_dump(narrow("moco")))
    cases = {
        ("-u", "simclr", "-g", str(tmp_path / "moco.yaml")): "moco.yaml is for -u moco, not for -u simclr",
        ("-u", "simclr", "--toolkit_runner"): "--toolkit_runner is for -u pemr",
        ("-u", "baselines"): "-u baselines: nothing to pretrain by this name; there are pemr, pemr_pos,",
    }
    for argv, message in cases.items():
        with pytest.raises(ValueError, match=message) as error:
            default_configs(arguments(*argv))
        assert "\n" not in str(error.value)


def test_help_names_them_all(capsys):
    with pytest.raises(SystemExit):
        parse_arguments(["--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert all(f"{name}, " in printed for name in BASELINES)


def test_a_resume_with_another_shape_is_refused_in_one_line(tmp_path, config):
    run(tmp_path, "run", quick(config), narrow("simclr"))
    states = load(tmp_path / "run/states-3.ckpt")
    states["Upstream_Config"]["objective"]["projection_dim"] = 7
    with pytest.raises(ValueError, match="does not fit these settings .* size mismatch") as error:
        run(tmp_path, "resumed", states["Config"], states["Upstream_Config"], states=states)
    assert "\n" not in str(error.value)
