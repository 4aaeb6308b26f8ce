"""Log-mel patches of Pons et al.'s taggers. P: patches, F: mel bins, T: frames."""

from __future__ import annotations

import torch
from s3prl.upstream.adapter.full_precision import FullPrecision
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram

from .patches import PatchNetwork

N_FFT = 512
HOP_SAMPLES = 256  # 16 ms
LOG_GAIN = 10_000.0


class FullPrecisionMel(FullPrecision, MelSpectrogram):
    """Power of mel bins, in float32 also where the network is in half precision."""


class LogMelNetwork(PatchNetwork):
    """A network on log-mel patches of `frames` frames (jordipons/musicnn-training, config_file.py, train.py).

    log10(1 + 10000 power) of Slaney mel bins, FFT 512, hop 256, then one batch norm over all bins. Frame t is
    centred on sample 256 t of its patch; outside the patch the signal is zero (the repository cuts the
    spectrogram of the whole clip: half of a patch's first frame differs).
    """

    def __init__(self, frames: int, n_mels: int):
        super().__init__()
        self.patch_samples = frames * HOP_SAMPLES
        self.mel = FullPrecisionMel(
            self.sample_rate,
            n_fft=N_FFT,
            hop_length=HOP_SAMPLES,
            n_mels=n_mels,
            pad_mode="constant",
            norm="slaney",
            mel_scale="slaney",
        )
        self.input_norm = nn.BatchNorm2d(1)

    def log_mel(self, patches: Tensor) -> Tensor:
        """(P, T * 256) in [-1, 1] -> (P, 1, F, T), at least 0; always in full precision."""
        with torch.autocast(patches.device.type, enabled=False):
            power = self.mel(patches)[:, None, :, :-1]  # the last frame is the next patch's first
            return torch.log10(1 + LOG_GAIN * power)

    def embed_log_mel(self, log_mel: Tensor) -> Tensor:
        """Normalised log-mel (P, 1, F, T) -> (P, output_dim)."""
        raise NotImplementedError

    def embed(self, patches: Tensor) -> Tensor:
        """(P, patch_samples) -> (P, output_dim)."""
        log_mel = self.log_mel(patches).to(self.input_norm.weight.dtype)
        return self.embed_log_mel(self.input_norm(log_mel))
