"""What a run says of the tracks that it hears, and that a run of 0.1.0 goes on with those it began with."""

import copy
import zlib

import numpy as np
import pytest
from pretraining_runs import equal, load, run, runner_config
from split_store import split_store

DATA = {"fingerprint", "tracks", "train_batch_size", "crop_samples", "seed"}  # of 0.1.0: resumes compare it


@pytest.fixture
def settings(tmp_path):
    """12 tracks, 8 of them for training: 2 steps an epoch, 3 with all of them."""
    splits = ["train", "train", "test", "train", "train", "valid"] * 2
    config = runner_config(str(split_store(tmp_path / "STORE", splits, ("tones",), samples=9_000)))
    config["runner"] |= {"n_epochs": 2, "picture_step": 0, "save_step": 1, "max_keep": 9}
    return config


def with_split(config, split):
    config = copy.deepcopy(config)
    config["pretrain_expert"]["datarc"]["split"] = split
    return config


def test_the_training_split_is_heard_said_and_kept(tmp_path, settings, model_settings, caplog):
    caplog.set_level("INFO", "s3prl.pretrain.training.expert")
    runner = run(tmp_path, "run", settings, model_settings)
    assert runner.total_steps == 4
    lines = [message for message in caplog.messages if "heard" in message]
    assert lines == [
        f"{tmp_path / 'STORE'}: 8 of 12 tracks are heard (train 8), 4 left out (test 2, valid 2)"
    ]
    states = load(tmp_path / "run/states-4.ckpt")
    assert states["Heard"] == {
        "data_set": "tones", "data_set_split": "",
        "fingerprint": runner.expert.dataset.store.fingerprint, "splits": {"train": 8},
    }  # fmt: skip
    assert states["Config"]["pretrain_expert"]["datarc"]["split"] == "auto"
    assert states["Data"].keys() == DATA
    tracks = np.array([0, 1, 3, 4, 6, 7, 9, 10], dtype="<i8")
    assert states["Data"]["tracks"] == zlib.crc32(tracks.tobytes())
    resumed = run(tmp_path, "resumed", states["Config"], model_settings, load(tmp_path / "run/states-2.ckpt"))
    assert equal(resumed.expert.method.state_dict(), runner.expert.method.state_dict())


def test_a_run_of_0_1_0_on_every_track_goes_on_with_every_track(tmp_path, settings, model_settings):
    whole = run(tmp_path, "whole", with_split(settings, ""), model_settings)
    assert whole.total_steps == 6
    states = load(tmp_path / "whole/states-2.ckpt")
    assert states.pop("Heard")["splits"] == {"test": 2, "train": 8, "valid": 2}
    assert states["Data"]["tracks"] == zlib.crc32(np.arange(12, dtype="<i8").tobytes())
    assert states["Config"]["pretrain_expert"]["datarc"]["split"] == ""
    resumed = run(tmp_path, "resumed", states["Config"], model_settings, states=states)
    assert equal(resumed.expert.method.state_dict(), whole.expert.method.state_dict())
    every = with_split(settings, "all")
    assert equal(run(tmp_path, "all", every, model_settings).expert.method.state_dict(),
                 whole.expert.method.state_dict())  # fmt: skip
    with pytest.raises(ValueError, match="^tracks of .* is not what this run began with"):
        run(tmp_path, "other", settings, model_settings, states=states)


def test_too_few_tracks_say_of_which_split(tmp_path, settings, model_settings):
    settings["pretrain_expert"]["datarc"]["train_batch_size"] = 10
    with pytest.raises(
        ValueError, match=r"8 tracks, fewer than .* 10 \(datarc.split 'auto'; the store holds 12"
    ):
        run(tmp_path, "run", settings, model_settings)
