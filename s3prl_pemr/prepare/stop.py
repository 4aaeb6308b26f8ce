"""Ctrl-C and a cluster's SIGTERM as a request, which is heard between two tracks and never within a write."""

import signal
from types import FrameType


class StopRequest:
    """While entered, the first signal only sets `signal_number`; a second one ends the program at once."""

    def __init__(self):
        self.signal_number: int | None = None

    def __enter__(self) -> "StopRequest":
        self._before = {
            number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *exc_info) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.signal_number is not None:
            raise KeyboardInterrupt
        self.signal_number = number

    @property
    def exit_status(self) -> int:
        """What a shell expects of a program that a signal ended: 130 for Ctrl-C."""
        return 128 + (self.signal_number or 0)
