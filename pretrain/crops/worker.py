"""Signals in data-loader workers."""

import signal


def leave_signals_to_the_parent(worker: int) -> None:
    """Ctrl-C, torchrun and schedulers signal the whole process group: only the runner, which saves, may act.

    A worker whose parent is gone ends by itself (torch's DataLoader watches for that).
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
