"""`s3prl-pemr explain`, also as `python -m s3prl_pemr.explain`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from s3prl_pemr.launch.commands import parse_single
from s3prl_pemr.launch.errors import one_line_errors

from . import command, map_command


def main(arguments: Sequence[str] | None = None) -> int:
    """`s3prl-pemr explain`; what the user can mend ends in one line. Returns the exit status."""
    return _run(parse_single("s3prl-pemr explain", command, arguments))


def clip_map(arguments: Sequence[str] | None = None) -> int:
    """`s3prl-pemr map`. Returns the exit status."""
    return _run(parse_single("s3prl-pemr map", map_command, arguments))


def _run(args) -> int:
    with one_line_errors():
        return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
