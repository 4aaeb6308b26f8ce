"""The store's log-mel statistics against numpy over the same crops."""

import numpy as np
import torch
from s3prl.pretrain.crops.log_mel_statistics import log_mel_statistics
from s3prl.pretrain.training.expert import UpstreamPretrainExpert
from s3prl.upstream.fcn4.frontend import FrontendConfig, LogMel

from s3prl_pemr.store import AudioStore


def test_equal_numpy_over_whole_tracks(store):
    store = AudioStore(store)
    frontend = LogMel(FrontendConfig(n_mels=32))
    crop = int(store.length_samples.max())  # every crop is a whole track and zeros behind it
    mean, std = log_mel_statistics(frontend, store, np.arange(len(store)), len(store), crop, seed=0)
    wavs = np.stack([np.pad(store.read(t), (0, crop - store.length_samples[t])) for t in range(len(store))])
    log_mel = (
        frontend.log_mel(torch.from_numpy(wavs / 32_768.0).float()).numpy().reshape(-1, 32).astype(float)
    )
    np.testing.assert_allclose(mean.numpy(), log_mel.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(std.numpy(), log_mel.std(axis=0), rtol=1e-4)


def test_measured_once_and_kept_in_the_checkpoint(config, model_settings):
    datarc = config["pretrain_expert"]["datarc"]
    expert = UpstreamPretrainExpert(datarc, model_settings, "cpu")
    default = expert.method.model.frontend.mean.clone()
    expert.get_train_dataloader()
    measured = expert.method.model.frontend.mean.clone()
    assert not torch.equal(default, measured)

    resumed = UpstreamPretrainExpert(datarc | {"seed": 8}, model_settings, "cpu")  # would draw other crops
    resumed.load_model(expert.add_state_to_save({}))
    resumed.get_train_dataloader()
    assert torch.equal(resumed.method.model.frontend.mean, measured)
