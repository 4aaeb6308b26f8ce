"""Where tracks are heard: by the upstream in this process, or by actors of a Ray cluster (`--engine ray`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from s3prl_pemr.prepare.engine import RAY
from s3prl_pemr.store.index import StoreError

from .embedder import Embedded, Embedder, Wanted

RETRIES = 3  # of an actor that died, and of what it was hearing
BATCHES_PER_ACTOR = 2  # one that is heard and one that waits: each may be hours of music
Batch = tuple[list[str], list[np.ndarray]]  # tracks, and their waveforms at 16 kHz


def embed_in_order(
    engine: str, embedder: Embedder, device: str | None, found: Iterable[Batch]
) -> Iterator[tuple[list[str], int, list[Embedded]]]:
    """Tracks, samples and embeddings of each batch, in order.

    Args:
        engine: of prepare/engine.py; for Ray, a cluster is connected when the first batch comes.
        embedder: hears in this process; on a cluster its actors load the same.
        device: of the command line, for the actors.
        found: the batches.

    Raises:
        ValueError: one line: an upstream that cannot hear a track, or whose actors died again and again.
    """
    if engine == RAY:
        yield from _on_cluster(embedder.wanted, device, found)
        return
    for tracks, wavs in found:
        yield tracks, sum(map(len, wavs)), embedder.embed(wavs)


def _on_cluster(
    wanted: Wanted, device: str | None, found: Iterable[Batch]
) -> Iterator[tuple[list[str], int, list[Embedded]]]:
    actors: list[Any] = []
    pending: deque[tuple[list[str], int, Any]] = deque()
    for number, (tracks, wavs) in enumerate(found):
        if not actors:
            actors = _start(wanted, device)
        if len(pending) == BATCHES_PER_ACTOR * len(actors):
            yield _next(pending)
        heard = actors[number % len(actors)].embed.remote(wavs)
        pending.append((tracks, sum(map(len, wavs)), heard))
    while pending:
        yield _next(pending)


def _start(wanted: Wanted, device: str | None) -> list[Any]:
    """An actor on each GPU of the cluster; where there are none, one for every two cores."""
    import ray

    resources = ray.cluster_resources()
    gpus = int(resources.get("GPU", 0))
    # No core is held by them: decoding would wait for it for ever where there is one alone.
    actor = ray.remote(
        num_cpus=0, num_gpus=min(gpus, 1), max_restarts=RETRIES, max_task_retries=RETRIES
    )(_Actor)  # fmt: skip
    return [actor.remote(wanted, device) for _ in range(gpus or max(int(resources.get("CPU", 0)) // 2, 1))]


def _next(pending: deque[tuple[list[str], int, Any]]) -> tuple[list[str], int, list[Embedded]]:
    import ray

    tracks, samples, heard = pending.popleft()
    try:
        return tracks, samples, ray.get(heard)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayActorError as error:
        raise StoreError(f"every actor died at {tracks[0]!r}, or could not start: fewer --batch?") from error


class _Actor:
    """An upstream that is loaded once."""

    def __init__(self, wanted: Wanted, device: str | None):
        self._embedder = Embedder(wanted, device)

    def embed(self, wavs: Sequence[np.ndarray]) -> list[Embedded]:
        """See Embedder.embed."""
        return self._embedder.embed([np.array(wav) for wav in wavs])  # Ray's arrays are read-only
