"""An upstream that counts what it is asked for, and a cache around it, for several tests."""

from types import SimpleNamespace

import torch
from s3prl.upstream.interfaces import Featurizer

from s3prl_pemr.features.attach import CacheArguments, cached_upstream


class Counting(torch.nn.Module):
    """An upstream of two layers that counts the clips it is asked for."""

    def __init__(self):
        super().__init__()
        self.clips = 0

    def get_downsample_rates(self, key):
        return 1_000

    def forward(self, wavs):
        self.clips += len(wavs)
        blocks = torch.nn.utils.rnn.pad_sequence(wavs, batch_first=True).unfold(1, 1_000, 1_000)
        return {"hidden_states": [blocks[..., :8], blocks[..., 8:16].abs()]}


def arguments(**changes):
    args = {
        "upstream": "counting", "upstream_ckpt": None, "upstream_model_config": None,
        "upstream_trainable": False, "upstream_feature_normalize": False, "device": "cpu",
    }  # fmt: skip
    return SimpleNamespace(**args | changes)


def cached(folder, model, task=None, config=None, max_gigabytes=1.0, **changes):
    featurizer = Featurizer(model, upstream_device="cpu")
    if hasattr(featurizer, "weights"):
        torch.nn.init.normal_(featurizer.weights)
    cache = CacheArguments(str(folder), max_gigabytes)
    model = cached_upstream(
        arguments(**changes), config or {}, model, featurizer, task or torch.nn.Module(), cache
    )
    return model, featurizer
