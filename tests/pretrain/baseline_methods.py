"""What the tests of the baselines share: narrow ones, and a batch."""

import torch

from s3prl_pemr.methods import METHODS, objective_class

BASELINES = [name for name in METHODS if name != "pemr"]
ON_LOG_MEL = [name for name in BASELINES if name != "clmr"]
CLIPS, SAMPLES = 8, 8_000


def narrow(name, **objective):
    """Model settings of a narrow `name`."""
    model = {"frontend": {"n_mels": 32}, "encoder_channels": [4, 4, 8, 8]}
    heads = {"projection_hidden": 16, "projection_dim": 12}
    if name in ("pemr", "pemr_pos"):
        model |= {"transformer": {"layers": 2, "heads": 2}} | heads
        heads = {}
    if name in ("moco", "moco_v2"):
        heads |= {"queue_size": 24, "momentum": 0.9}
    return {
        "method": name, "model": {} if name == "clmr" else model, "objective": heads | objective
    }  # fmt: skip


def build(name, tracks=100, **objective):
    """A narrow `name`, ready for steps on `batch(...)`."""
    torch.manual_seed(0)
    method = objective_class(name)(narrow(name, **objective), "test").train()
    method.fit_data(tracks, CLIPS, SAMPLES)
    method.prepare(batch(method, seed)[0] for seed in range(1000, 1100))
    return method


def batch(method, seed=1, clips=CLIPS, samples=SAMPLES):
    """(waveforms, corruption) of `clips` tracks; their two crops share a tone."""
    generator = torch.Generator().manual_seed(seed)
    tones = 200 + 3000 * torch.rand(clips, 1, generator=generator)
    time = torch.arange(samples) / 16_000
    wavs = 0.1 * torch.sin(2 * torch.pi * tones * time).repeat(2, 1)
    wavs += 0.02 * torch.randn(2 * clips, samples, generator=generator)
    if method.corruption is None:
        return wavs, None
    from s3prl.pretrain.crops.randomness import crop_generator

    generators = [crop_generator(seed, 0, crop, 0) for crop in range(2 * clips)]
    return wavs, method.corruption.draw(generators, -(-samples // 128))
