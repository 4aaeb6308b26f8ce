"""Signals in data-loader workers."""

import signal


def leave_signals_to_the_parent(worker: int) -> None:
    """Ctrl-C reaches the whole process group: only the runner, which saves, may act on it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
