"""Where files are decoded: processes of this machine, or tasks on a Ray cluster (`--engine ray`)."""

from __future__ import annotations

import os
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from s3prl_pemr.store.index import StoreError

from .workers import TASKS_PER_WORKER, Item, Result, Workers

PROCESSES, RAY = "processes", "ray"
ENGINES = (PROCESSES, RAY)
INSTALL = "--engine ray needs Ray on every machine: pip install 's3prl-pemr[ray]'"


def make_workers(engine: str, jobs: int) -> Workers | RayWorkers:
    """The workers of an engine; `jobs` counts processes, or tasks of a cluster that run at a time."""
    return RayWorkers(jobs) if engine == RAY else Workers(jobs)


class RayWorkers:
    """The interface of Workers on a Ray cluster: the one that RAY_ADDRESS names, else one made here.

    The paths of the files and this package are the same on all its machines. Ray tries a task again whose
    worker or machine died, three times; at most TASKS_PER_WORKER results a worker wait to be stored.

    Args:
        jobs: fewest tasks at a time; as many as the cluster has cores, if those are more.

    Raises:
        StoreError: Ray is not installed, or no cluster answers.
    """

    def __init__(self, jobs: int):
        try:
            import ray
        except ImportError as error:
            raise StoreError(INSTALL) from error
        self._ray, self._jobs = ray, jobs
        self._own = not ray.is_initialized()

    def __enter__(self) -> RayWorkers:
        if self._own:
            try:
                self._ray.init(log_to_driver=False, logging_level="error")  # looks at RAY_ADDRESS itself
            except (ConnectionError, ValueError) as error:
                address = os.environ.get("RAY_ADDRESS", "this machine")
                raise StoreError(f"--engine ray: no cluster at {address} ({error})") from error
        return self

    def __exit__(self, *exc_info) -> None:
        if self._own:
            self._ray.shutdown()

    def in_order(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        lost: Callable[[Item], Result] | None = None,
    ) -> Iterator[Result]:
        """See Workers.in_order; an item whose workers died each time is `lost`, and the others go on."""
        task, pack = self._ray.remote(_run), self._ray.cloudpickle.dumps
        cores = int(self._ray.cluster_resources().get("CPU", 0))
        limit = TASKS_PER_WORKER * max(cores, self._jobs)
        pending: deque[tuple[Item, Any]] = deque()
        for item in items:
            pending.append((item, task.remote(pack((function, item)))))
            if len(pending) == limit:
                yield self._next(pending, lost)
        while pending:
            yield self._next(pending, lost)

    def _next(self, pending: deque, lost: Callable[[Item], Result] | None) -> Result:
        item, reference = pending.popleft()
        died = (self._ray.exceptions.WorkerCrashedError, self._ray.exceptions.OutOfMemoryError)
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise error.as_instanceof_cause() from None
        except died as error:
            if lost is None:
                raise StoreError(f"every worker died at {item!r} ({type(error).__name__})") from error
            return lost(item)


def _run(packed: bytes) -> Any:
    """A task. Importing this module for it made our folders known to s3prl: the rest can be unpacked now."""
    function, item = pickle.loads(packed)
    return function(item)
