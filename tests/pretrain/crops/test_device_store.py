"""Crops cut on the device are those read from the files, and so is the run."""

import numpy as np
import pytest
import torch
from pretraining_runs import equal, load, log_lines, run
from s3prl.pretrain.crops import device_store as room
from s3prl.pretrain.crops.device_store import DeviceStore, device_store

from s3prl_pemr.store import AudioStore


@pytest.mark.parametrize("length", [1, 8_000, 20_000])  # some tracks are shorter than the last
def test_crops_are_those_of_the_files(store, length):
    audio, rng = AudioStore(store), np.random.default_rng(0)
    heard = np.array([3, 0, 7, 13])
    held = DeviceStore(audio, heard, "cpu")
    tracks = rng.choice(heard, 64)
    starts = rng.integers(audio.length_samples[tracks] + 1)
    crops = held.gather(torch.from_numpy(np.stack([tracks, starts])), length)
    assert crops.dtype == torch.int16
    assert np.array_equal(crops.numpy(), audio.gather(tracks, starts, length))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_is_the_same_with_the_store_on_its_device(tmp_path, config, model_settings, workers):
    config["pretrain_expert"]["datarc"] |= {"num_workers": workers, "crop_samples": 20_000}
    for way in ("off", "on"):
        config["pretrain_expert"]["datarc"]["store_on_device"] = way
        runner = run(tmp_path, way, config, model_settings)
        assert runner.expert.dataset.reads == (way == "off")
    assert log_lines(tmp_path / "on") == log_lines(tmp_path / "off")
    there, read = (load(tmp_path / way / "states-9.ckpt") for way in ("on", "off"))
    assert all(equal(there[key], read[key]) for key in ("Upstream", "Optimizer", "Training"))


def test_auto_takes_half_of_what_is_free_and_no_more_than_is_heard(store, monkeypatch):
    audio = AudioStore(store)
    tracks = np.arange(len(audio))
    samples = int(audio.length_samples.sum())
    monkeypatch.setattr(room, "DeviceStore", lambda store, tracks, device: "held")
    for free, heard, held in (
        (4 * samples, samples, "held"), (4 * samples - 2, samples, None), (9 * samples, samples - 1, None)
    ):  # fmt: skip
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device, free=free: (free, free))
        assert device_store(audio, tracks, "cuda", "auto", heard) == held
        assert device_store(audio, tracks, "cuda", "off", heard) is None
        assert device_store(audio, tracks, "cpu", "auto", heard) is None


def test_what_does_not_fit_is_said_in_one_line(store, monkeypatch):
    audio = AudioStore(store)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1_000, 1_000))
    with pytest.raises(ValueError, match=r"store_on_device on: .* has 0\.0 GB free; set auto or off"):
        device_store(audio, np.arange(len(audio)), "cuda", "on", 1e12)


def test_no_other_way(tmp_path, config, model_settings):
    config["pretrain_expert"]["datarc"]["store_on_device"] = "yes"
    with pytest.raises(ValueError, match="store_on_device 'yes' is not one of auto, on, off"):
        run(tmp_path, "run", config, model_settings)
