"""The samples of a store in the memory of a device, which cuts the crops by itself.

B: crops, N: samples.
"""

from __future__ import annotations

import logging

import numpy as np
import torch
from torch import Tensor

from s3prl_pemr.loops.device import to_device
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.index import SAMPLE_BYTES

logger = logging.getLogger(__name__)
AUTO, ON, OFF = "auto", "on", "off"
WAYS = (AUTO, ON, OFF)
SHARE = 0.5  # of the device's free memory that `auto` takes; a step has to fit beside it


class DeviceStore:
    """Some tracks of a store, one after the other, as int16 on a device."""

    def __init__(self, store: AudioStore, tracks: np.ndarray, device: torch.device | str):
        """Read and copy them.

        Args:
            store: the audio.
            tracks: indices of those that are wanted, (tracks,).
            device: where to.
        """
        lengths = np.zeros(len(store), np.int64)
        lengths[tracks] = store.length_samples[tracks]
        ends = np.cumsum(lengths)
        self._samples = torch.empty(int(ends[-1]), dtype=torch.int16, device=device)
        for track in Progress(np.sort(tracks), desc=f"store to {device}", leave=False):
            place = slice(int(ends[track] - lengths[track]), int(ends[track]))
            self._samples[place].copy_(torch.from_numpy(store.read(track)))
        self._begins, self._ends = (torch.from_numpy(at).to(device) for at in (ends - lengths, ends))

    def gather(self, places: Tensor, length_samples: int) -> Tensor:
        """As `AudioStore.gather`: int16, (B, N), with zeros behind a track that ends earlier.

        Args:
            places: track and first sample of each crop, int64, (2, B), on the CPU or there already.
            length_samples: N.
        """
        tracks, starts = to_device(places, self._samples.device)
        at = (self._begins[tracks] + starts)[:, None]
        at = at + torch.arange(length_samples, device=at.device)
        inside = at < self._ends[tracks][:, None]
        return self._samples[at.clamp(max=len(self._samples) - 1)] * inside


def device_store(
    store: AudioStore, tracks: np.ndarray, device: torch.device | str, way: str, heard_samples: float
) -> DeviceStore | None:
    """The tracks on the device, or None where crops are read from the files.

    Args:
        store, tracks, device: as `DeviceStore` takes them.
        way: `on`, `off`, or `auto`: on CUDA where the samples take up to SHARE of the free memory and the run
            hears as many.
        heard_samples: of the whole run.

    Raises:
        ValueError: one line: `on`, and there is not room.
    """
    samples = int(store.length_samples[tracks].sum())
    size, is_cuda = samples * SAMPLE_BYTES, torch.device(device).type == "cuda"
    free = torch.cuda.mem_get_info(device)[0] if is_cuda and way != OFF else 0
    if way == OFF or (way == AUTO and (size > SHARE * free or samples > heard_samples)):
        return None
    if is_cuda and size > free:
        raise ValueError(
            f"datarc.store_on_device on: {store.path} has {size / 1e9:.1f} GB to be heard, {device} has "
            f"{free / 1e9:.1f} GB free; set auto or off"
        )
    logger.info("%.1f GB of %s are heard from the memory of %s", size / 1e9, store.path, device)
    return DeviceStore(store, tracks, device)
