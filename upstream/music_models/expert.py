"""s3prl's upstream interface around a network that is not ours: all its layers, clips of any length."""

from __future__ import annotations

from s3prl.upstream.adapter.expert import UpstreamExpert
from s3prl.upstream.adapter.waveform import pad_waveforms
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from .pieces import hear


class PiecewiseExpert(UpstreamExpert):
    """Around a network as pieces.py describes it."""

    def forward(self, wavs: list[Tensor]) -> dict[str, Tensor | list[Tensor]]:
        """1-D waveforms at 16 kHz -> `hidden_states`, a list of layers (B, T, D), and `last_hidden_state`.

        T is ceil(longest / rate), zero behind shorter clips. An item's frames do not depend on what it is
        batched with; memory does not grow with its length. Further keys of the network are single tensors.

        Raises: ValueError (one line) as `pad_waveforms`.
        """
        padded, lengths = pad_waveforms(wavs)
        clips = hear(self.model, [wav[:length] for wav, length in zip(padded, lengths.tolist(), strict=True)])
        found: dict[str, Tensor | list[Tensor]] = {}
        for key in clips[0]:
            layers = [
                pad_sequence(list(layer), batch_first=True)
                for layer in zip(*(clip[key] for clip in clips), strict=True)
            ]
            found[key] = layers if key == "hidden_states" else layers[0]
        return found | {"last_hidden_state": found["hidden_states"][-1]}
