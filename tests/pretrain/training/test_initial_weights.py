"""--init: a new run that begins with another run's weights; one part trained alone."""

import pytest
import torch
from pretraining_runs import equal, load, run
from s3prl.pretrain.training.runner import PretrainRunner


def prefixed(weights, part):
    return {name: value for name, value in weights.items() if name.split(".")[0] == part}


@pytest.fixture
def first(tmp_path, config, model_settings):
    config["runner"]["n_epochs"] = 1
    run(tmp_path, "first", config, model_settings)
    return tmp_path / "first/states-3.ckpt"


def begun(tmp_path, config, model_settings, path, parts=None):
    runner = PretrainRunner(tmp_path / "second", config, model_settings, "cpu", 0, None)
    (tmp_path / "second").mkdir(exist_ok=True)
    return runner, runner.expert.take_initial_weights(str(path), parts)


def test_a_part_is_taken_and_the_transformer_trained_alone_leaves_it(first, tmp_path, config, model_settings):
    before = load(first)["Upstream"]
    model_settings["objective"] = {"trained": "transformer"}
    runner, taken = begun(tmp_path, config, model_settings, first, ["frontend", "encoder", "projector"])
    assert taken == ["encoder", "frontend", "projector"]
    runner.train()
    states = load(tmp_path / "second/states-3.ckpt")
    after = states["Upstream"]
    for part in taken:  # the running statistics and those of the log-mel among them
        assert equal(prefixed(after, part), prefixed(before, part)), part
    for part in ("transformer", "predictor"):
        assert not equal(prefixed(after, part), prefixed(before, part)), part
    # and it goes on
    again = PretrainRunner(tmp_path / "third", config, model_settings, "cpu", 0, states)
    assert again.step == 3


def test_the_encoder_trained_alone_leaves_the_transformer(first, tmp_path, config, model_settings):
    before = load(first)["Upstream"]
    model_settings["objective"] = {"trained": "encoder"}
    runner, taken = begun(tmp_path, config, model_settings, first)
    assert taken == ["encoder", "frontend", "predictor", "projector", "transformer"]
    runner.train()
    after = load(tmp_path / "second/states-3.ckpt")["Upstream"]
    assert equal(prefixed(after, "transformer"), prefixed(before, "transformer"))
    assert not equal(prefixed(after, "encoder"), prefixed(before, "encoder"))


def test_the_transformer_learns_alone_what_it_learns_beside_the_encoder(config, model_settings, tmp_path):
    config["runner"]["n_epochs"] = 1
    both, alone = (
        run(
            tmp_path, trained, config, {**model_settings, "objective": {"trained": trained}}
        ).expert.method.model.state_dict()
        for trained in ("both", "transformer")
    )
    for part in ("transformer", "predictor"):
        torch.testing.assert_close(prefixed(alone, part), prefixed(both, part))
    assert not equal(prefixed(alone, "encoder"), prefixed(both, "encoder"))


def test_weights_that_do_not_fit_are_one_line(first, tmp_path, config, model_settings):
    with pytest.raises(ValueError, match="--init_parts tail: not in .*; both have encoder, frontend, pred"):
        begun(tmp_path, config, model_settings, first, ["tail"])
    model_settings["model"]["projection_dim"] = 24
    with pytest.raises(ValueError, match=r"--init .* does not fit .* \(projector\..* is another\); take its"):
        begun(tmp_path, config, model_settings, first)
    _, taken = begun(tmp_path, config, model_settings, first, ["encoder"])
    assert taken == ["encoder"]
    with pytest.raises(ValueError, match="is not a file"):
        begun(tmp_path, config, model_settings, tmp_path / "none.ckpt")


def test_a_part_that_is_none_is_refused(tmp_path, config, model_settings):
    with pytest.raises(ValueError, match="trained 'all' is not one of both, transformer, encoder"):
        run(tmp_path, "other", config, {**model_settings, "objective": {"trained": "all"}})
