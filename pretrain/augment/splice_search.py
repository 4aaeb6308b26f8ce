"""WSOLA's search: where each output segment is read from. B: clips, N: samples, T: template, L: lags.

WSOLA (W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity", ICASSP 1993)
builds the output from segments of the input, and takes each one from the place near its due time that looks
most like the continuation of the segment before it. The search runs at a quarter of the rate, then at the
full rate around the winner, then between samples.
"""

import torch
from torch import Tensor

DECIMATION = 4
FINE_REACH = 6  # samples to each side of the coarse winner; one period of 2 kHz at 16 kHz is 8
NEARNESS = 0.02  # correlation given up for a full reach: keeps the timing and decides between equals
SILENCE = 1e-10  # sum of squares of a template below which nothing is matched


def decimate(spectrum: Tensor) -> Tensor:
    """The clip at a quarter of the rate, rolled off by raised cosine towards the new Nyquist frequency.

    Args:
        spectrum: (B, F), of a multiple of 8 samples N.

    Returns: (B, N / DECIMATION).
    """
    bins = (spectrum.shape[1] - 1) // DECIMATION + 1
    frequency = torch.linspace(0.0, 1.0, bins, device=spectrum.device)
    roll_off = 0.5 - 0.5 * torch.cos(torch.pi * ((1.0 - frequency) / 0.2).clamp(0.0, 1.0))
    return torch.fft.irfft(spectrum[:, :bins] * roll_off, n=2 * (bins - 1)) / DECIMATION


def inverse_norms(signals: Tensor, window: int) -> Tensor:
    """1 / Euclidean norm of every stretch of `window` samples, (B, N - window + 1), bounded in silence."""
    total = torch.nn.functional.pad(signals.double().square().cumsum(dim=1), (1, 0))
    return (total[:, window:] - total[:, :-window]).clamp(min=SILENCE).rsqrt().float()


def correlate(region: Tensor, template: Tensor, lags: int) -> Tensor:
    """Inner product of the template (B, T) with the region (B, T + L - 1) at each lag, (B, L)."""
    samples = region.shape[1]
    product = torch.fft.rfft(region) * torch.fft.rfft(template, n=samples).conj()
    return torch.fft.irfft(product, n=samples)[:, :lags]


def finest_lag(region: Tensor, template: Tensor) -> Tensor:
    """Lag of least squared difference, placed between samples by the parabola through the least three.

    Args:
        region: (B, T + L - 1) with L >= 3.
        template: (B, T).

    Returns: float32, (B,) in [0.5, L - 1.5]; the lag is whole where the parabola is flat (silence) or NaN.
    """
    difference = (region.unfold(1, template.shape[1], 1) - template[:, None]).square_().sum(dim=2)  # (B, L)
    before = difference[:, 1:-1].argmin(dim=1)
    rows = torch.arange(len(before), device=before.device)
    left, least, right = difference.unfold(1, 3, 1)[rows, before].unbind(dim=1)
    vertex = 0.5 * (left - right) / (left + right - 2 * least)
    return before + 1 + vertex.clamp(-0.5, 0.5).nan_to_num(0.0)


class SpliceSearch:
    """Finds the next place of every clip; built once a batch, so that a step is few, small operations."""

    def __init__(self, wavs: Tensor, spectrum: Tensor, hop_samples: int, reach_samples: int):
        """Args: clips (B, N), their spectrum (B, F), template length and half the search range in samples."""
        decimated = decimate(spectrum)
        coarse = hop_samples // DECIMATION
        fine = hop_samples // 2
        self.lags = 2 * reach_samples // DECIMATION + 1
        norms = inverse_norms(decimated, coarse)
        self.wavs, self.decimated, self.hop_samples = wavs, decimated, hop_samples
        # Views: [row, start] takes the stretch that begins at `start`.
        self.coarse_templates = decimated.unfold(1, coarse, 1)
        self.coarse_regions = decimated.unfold(1, coarse + self.lags - 1, 1)
        self.template_norms = norms
        self.region_norms = norms.unfold(1, self.lags, 1)
        self.fine_templates = wavs.unfold(1, fine, 1)
        self.fine_regions = wavs.unfold(1, fine + 2 * FINE_REACH + 2, 1)
        self.half_coarse = hop_samples // 2
        self.half_fine = fine // 2
        self.rows = torch.arange(len(wavs), device=wavs.device)
        middle = (self.lags - 1) / 2 + 0.3  # off the grid: no two lags are equally far
        self.price = NEARNESS * (torch.arange(self.lags, device=wavs.device) - middle).abs() / middle

    def best_place(self, natural: Tensor, overlap: Tensor, lowest: Tensor) -> Tensor:
        """The place in [lowest, lowest + 2 reach] that best replaces the natural continuation.

        Args:
            natural: float64, (B,), where the segment before would go on, in samples.
            overlap: float64, (B,), input samples before it that are cross-faded; compared in their middle.
            lowest: float64, (B,).

        Returns: float64, (B,), at most FINE_REACH + 5 samples outside the range.
        """
        middle = natural - overlap / 2
        start = ((middle - self.half_coarse) / DECIMATION).long()
        first_step = ((lowest - natural) / DECIMATION).ceil().long()
        first = start + first_step
        match = correlate(
            self.coarse_regions[self.rows, first], self.coarse_templates[self.rows, start], self.lags
        )
        scale = self.region_norms[self.rows, first] * self.template_norms[self.rows, start][:, None]
        step = DECIMATION * (first_step + (match * scale - self.price).argmax(dim=1))  # from `natural`

        start = middle.long() - self.half_fine
        region = self.fine_regions[self.rows, start + step - (FINE_REACH + 1)]
        lag = finest_lag(region, self.fine_templates[self.rows, start])
        return natural + step + (lag - (FINE_REACH + 1))


def edge_places(search: SpliceSearch, overlap: Tensor, lowest: Tensor, first_place: int) -> Tensor:
    """Input place of every segment edge, one after the other: each goes on from the one before.

    Args:
        search: of B clips.
        overlap: float64, (B,), input samples that a segment reads from one edge to the next.
        lowest: float64, (B, K), least place of each edge; that of the first edge is not looked at.
        first_place: of edge 0, in samples.

    Returns: float64, (B, K).
    """
    places = [torch.full_like(overlap, first_place)]
    for edge in range(1, lowest.shape[1]):
        places.append(search.best_place(places[-1] + overlap, overlap, lowest[:, edge]))
    return torch.stack(places, dim=1)
