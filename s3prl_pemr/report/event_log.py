"""TensorBoard's file, whose writer says when it cannot write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tensorboardX import SummaryWriter


class EventLog(SummaryWriter):
    """A SummaryWriter that raises in the thread that logs what goes wrong in the one that writes.

    tensorboardX writes in a thread of its own (event_file_writer.py:164), which an error ends; the queue
    before it then fills up, and whoever logs the next value waits for ever.

    Raises:
        OSError: from any method, once: the file cannot be written. Later ones do nothing.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        self._failure: OSError | None = None
        self._told = False
        super().__init__(*args, **kwargs)
        events = self.file_writer.event_writer._ev_writer
        for name in ("write_event", "flush", "close"):
            setattr(events, name, self._noticing(getattr(events, name), events._file_name))

    def _noticing(self, method: Callable, path: str) -> Callable:
        def noticing(*args: Any) -> Any:
            if self._failure is None:
                try:
                    return method(*args)
                except OSError as error:
                    self._failure = OSError(error.errno, error.strerror, path)
            return None

        return noticing

    def _raise_once(self) -> None:
        if self._failure is not None and not self._told:
            self._told = True
            raise self._failure

    def _get_file_writer(self) -> Any:
        writer = super()._get_file_writer()  # every add_... asks for it
        self._raise_once()
        return writer

    def flush(self) -> None:
        """As SummaryWriter.flush."""
        super().flush()
        self._raise_once()

    def close(self) -> None:
        """As SummaryWriter.close."""
        super().close()
        self._raise_once()


@contextmanager
def closed_at_the_end(make: Callable[..., EventLog] = EventLog) -> Iterator[Callable[..., EventLog]]:
    """Yields `make`, whose logs are closed when the context is left, however that is.

    From Python 3.12 on one that is still open when the interpreter exits cannot be closed any more: it takes
    a thread, and the user gets a traceback behind whatever ended the run.
    """
    with ExitStack() as logs:
        yield lambda *args, **kwargs: logs.enter_context(make(*args, **kwargs))
