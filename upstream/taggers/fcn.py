"""FCN-4, PEMR's encoder on PEMR's log-mel front end, by itself."""

from __future__ import annotations

from s3prl.upstream.fcn4.model import LogMelFCN, LogMelFCNConfig


class FCN(LogMelFCN):
    """Waveforms -> a frame of 512 values per 16,384 samples; 370,560 parameters.

    The count is the 370K of the paper's Table 2 (FCN-4), which leaves the output layer out. What
    `pemr_random` computes, without the transformer that it does not use.
    """

    def __init__(self, config: LogMelFCNConfig | None = None):
        super().__init__(config or LogMelFCNConfig())
