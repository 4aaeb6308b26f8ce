"""Progress bars. They show and never decide: nothing asks one how far the work is, but s3prl's own loops."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from tqdm import tqdm

LINE_SECONDS = 60  # between lines where there is no terminal
_OFF = ("", "0", "false", "no")


def switched_off() -> bool:
    """Whether TQDM_DISABLE is set; tqdm itself reads it once, when it is imported, and takes 0 for yes."""
    return os.environ.get("TQDM_DISABLE", "").lower() not in _OFF


class Progress(tqdm):
    """tqdm on a terminal; elsewhere a line every LINE_SECONDS and one at the end; nothing with TQDM_DISABLE.

    It counts in `n` however it shows. s3prl's training loops end by that number (s3prl/downstream/runner.py
    :275, s3prl/pretrain/runner.py:153), and tqdm stops counting where it is disabled: they went on for ever.
    """

    _open = 0  # bars of this process: one inside another has no line at its end

    def __init__(
        self, iterable: Iterable | None = None, desc: str | None = None, total: float | None = None,
        file: TextIO | None = None, disable: bool = False,
        **settings: Any,
    ):  # fmt: skip
        """As tqdm's; `disable` and TQDM_DISABLE both silence it, and NO_COLOR takes TQDM_COLOUR back."""
        self._file = file or sys.stderr
        shown = not (disable or switched_off())
        on_terminal = bool(getattr(self._file, "isatty", bool)())
        if os.environ.get("NO_COLOR"):
            settings["colour"] = None
        self._in_lines = shown and not on_terminal
        self._nested, self._told = Progress._open > 0, False
        self._closed = False
        Progress._open += 1
        settings.setdefault("dynamic_ncols", True)
        super().__init__(
            iterable, desc, total, file=self._file, disable=not (shown and on_terminal), **settings
        )
        self._line = {"prefix": desc or "", "unit": settings.get("unit", "it")}
        self._first, self._began = None, time.monotonic()
        self._last_line = self._began

    def __iter__(self) -> Iterator:
        """The iterable's items; one counts when the next is asked for."""
        if not self.disable:
            yield from super().__iter__()
            return
        try:
            for item in self.iterable:
                yield item
                self.update()
        except GeneratorExit:  # the loop was left, mostly by an error, which has a line of its own
            self._in_lines = False
            raise
        finally:
            self.close()

    def update(self, n: float = 1) -> bool | None:
        """Count, and show now and then."""
        if not self.disable:
            return super().update(n)
        if self._first is None:
            self._first = self.n  # a loop that goes on sets n itself
        self.n += n
        if self._in_lines and time.monotonic() - self._last_line >= LINE_SECONDS:
            self._tell()
        return None

    def close(self) -> None:
        """The last line, or tqdm's."""
        if not getattr(self, "_closed", True):
            self._closed = True
            Progress._open -= 1
            if self.disable and self._in_lines and (self._told or (self.leave and not self._nested)):
                self._tell()
        super().close()

    def _tell(self) -> None:
        self._told, self._last_line = True, time.monotonic()
        elapsed, postfix = self._last_line - self._began, getattr(self, "postfix", None)
        shown = {**self._line, "ncols": 0, "initial": self._first or 0, "postfix": postfix}
        line = self.format_meter(self.n, self.total, elapsed, **shown)
        print(line, file=self._file, flush=True)
