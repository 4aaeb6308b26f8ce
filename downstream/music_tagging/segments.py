"""The consecutive segments of each clip, where clips are scored by segments (`scoring: segments`)."""

from __future__ import annotations

import numpy as np

from s3prl_pemr.store import AudioStore

from .dataset import Clips


def segment_starts(length_samples: int, segment_samples: int) -> np.ndarray:
    """Where the segments of a clip begin: one behind the other from its start.

    The last, shorter one is dropped (clmr/evaluation.py), unless the clip is shorter than one segment.
    """
    whole = max(length_samples // segment_samples, 1)
    return np.arange(whole) * segment_samples


class Segments(Clips):
    """All segments of a split's clips, those of a clip in a row; each is an item with its clip's name.

    Args:
        store, tracks, targets, shortest_samples: as for Clips.
        segment_samples: length of a segment; a clip that is shorter stays whole.
    """

    def __init__(
        self,
        store: AudioStore,
        tracks: np.ndarray,
        targets: np.ndarray,
        shortest_samples: int,
        segment_samples: int,
    ):
        starts = [segment_starts(int(store.length_samples[track]), segment_samples) for track in tracks]
        rows = np.repeat(np.arange(len(tracks)), [len(own) for own in starts])
        super().__init__(store, tracks[rows], targets[rows], shortest_samples)
        self.starts, self.segment_samples = np.concatenate(starts), segment_samples

    def read(self, index: int) -> np.ndarray:
        """A segment: int16, (segment_samples or less,)."""
        track, start = int(self.tracks[index]), int(self.starts[index])
        length = min(self.segment_samples, int(self.store.length_samples[track]) - start)
        return self.store.read(track, start, length)
