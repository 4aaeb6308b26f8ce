"""1D-CNN on mel spectra (Dieleman and Schrauwen, ICASSP 2014). P: patches."""

from __future__ import annotations

from torch import Tensor, nn

from .log_mel import LogMelNetwork

FRAMES = 1_720  # 27.5 s
N_MELS = 128


class CNN1D(LogMelNetwork):
    """Waveforms -> a frame of 100 values per 27.5 s; 377,126 parameters.

    As `dieleman` in jordipons/musicnn-training, models_baselines.py. With an output layer of 50 tags (5,050)
    the count is 382,176: the 382K of the paper's Table 2, which 128 mel bins and 1,715 to 1,730 frames give
    and the repository's own 96 bins and 187 frames do not (66,782). A clip of MagnaTagATune (29.1 s)
    counts as one patch: s3prl drops the second, which is 1.6 s of music.
    """

    output_dim = 100

    def __init__(self):
        super().__init__(FRAMES, N_MELS)
        self.layers = nn.Sequential(
            nn.Conv1d(N_MELS, 32, 8),
            nn.ReLU(),
            nn.MaxPool1d(4),
            nn.Conv1d(32, 32, 8),
            nn.ReLU(),
            nn.MaxPool1d(4),
            nn.Flatten(),
            nn.Linear(32 * (((FRAMES - 7) // 4 - 7) // 4), self.output_dim),
            nn.ReLU(),
        )

    def embed_log_mel(self, log_mel: Tensor) -> Tensor:
        """(P, 1, 128, 1720) -> (P, 100)."""
        return self.layers(log_mel[:, 0])
