"""SampleCNN: convolutions of three samples on the raw waveform (Lee et al., SMC 2017). P: patches."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from .patches import BatchNorm1d, PatchNetwork

PATCH_SAMPLES = 3**10  # 59,049: 3.69 s at 16 kHz; ten strides of three leave one frame
POOLED_CHANNELS = (128, 128, 256, 256, 256, 256, 256, 256, 512)


@dataclass
class SampleCNNConfig:
    """dropout: on the frames. CLMR: 0.5 where trained with labels, none in self-supervision."""

    dropout: float = 0.0


def _layer(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    padding = 0 if stride > 1 else 1
    return [nn.Conv1d(inputs, outputs, 3, stride, padding), BatchNorm1d(outputs), nn.ReLU()]


class SampleCNN(PatchNetwork):
    """Waveforms -> a frame of 512 values per 59,049 samples; 2,368,512 parameters.

    As in Spijkervet/CLMR, clmr/models/sample_cnn.py: a convolution of stride 3, nine that are followed by a
    maximum over 3, and a last one. With an output layer of 50 tags (25,650) the count is 2,394,162: the
    2394K of the paper's Table 2, exactly.

    Args:
        dropout: of SampleCNNConfig.
    """

    Config = SampleCNNConfig
    patch_samples = PATCH_SAMPLES
    output_dim = POOLED_CHANNELS[-1]
    patches_at_once = 4  # its first maps are wide: 128 channels at a third of the sample rate

    def __init__(self, dropout: float = 0.0):
        super().__init__()
        self.config = SampleCNNConfig(dropout)
        layers = _layer(1, 128, stride=3)
        inputs = 128
        for outputs in POOLED_CHANNELS:
            layers += [*_layer(inputs, outputs), nn.MaxPool1d(3)]
            inputs = outputs
        layers += _layer(inputs, inputs)
        self.layers = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)

    def embed(self, patches: Tensor) -> Tensor:
        """(P, 59049) -> (P, 512)."""
        patches = patches[:, None].to(self.layers[0].weight.dtype)
        return self.dropout(self.layers(patches).squeeze(2))
