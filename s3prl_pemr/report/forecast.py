"""How long a training will take: said once, after its first steps."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

STEPS = 10


class Forecast:
    """Counts steps; the first one, which loads and compiles, is not taken for typical.

    Args:
        total: steps of the whole run.
        done: steps that an earlier start made.
        what: that the estimate leaves out.
    """

    def __init__(self, total: int, done: int = 0, what: str = ""):
        self.left = total - done
        self._what, self._counted, self._began = what, 0, 0.0

    def step(self) -> str | None:
        """After a step: the line to say, once; None otherwise."""
        self._counted += 1
        if self._counted == 1:
            self._began = time.monotonic()
        if self._counted != STEPS + 1 or self.left <= STEPS + 1:
            return None
        seconds = (time.monotonic() - self._began) / STEPS
        rest = timedelta(seconds=round(seconds * (self.left - self._counted)))
        end = datetime.now().astimezone() + rest
        when = f"{end:%H:%M}" if rest < timedelta(hours=12) else f"{end:%a %d %b, %H:%M}"
        others = f"{self.left - self._counted:,}"
        return (
            f"{seconds:.3g} s a step: the other {others} take about {_told(rest)}, until {when}{self._what}"
        )


def _told(rest: timedelta) -> str:
    minutes = round(rest.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return f"{minutes} minutes"
    hours = round(minutes / 60)
    return f"{hours} hours" if hours < 48 else f"{round(hours / 24)} days"
