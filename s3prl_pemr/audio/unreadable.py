"""Why a file cannot be used as audio."""

import os

from s3prl_pemr.report.printable import visible


class UnreadableAudio(ValueError):
    """A file that cannot be used as audio: `path`, and `reason` in one line that does not repeat the path."""

    def __init__(self, path: str | os.PathLike, reason: str):
        super().__init__(str(path), reason)  # both in args, so that it survives pickling
        self.path, self.reason = str(path), reason

    def __str__(self) -> str:
        return visible(f"{self.path}: {self.reason}")


class NotRecognised(ValueError):
    """A decoder does not know this file at all; another one may. The message is the decoder's, or empty."""


def one_line(text: str) -> str:
    """A C library's message without its line breaks and its full stop."""
    return " ".join(text.replace("Error : ", "").split()).rstrip(".")
