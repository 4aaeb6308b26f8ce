"""`s3prl-pemr export`, also as `python -m s3prl_pemr.sharing`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from s3prl_pemr.launch.commands import parse_single
from s3prl_pemr.launch.errors import one_line_errors

from . import command


def main(arguments: Sequence[str] | None = None) -> int:
    """What the user can mend ends in one line. Returns the exit status."""
    args = parse_single("s3prl-pemr export", command, arguments)
    with one_line_errors():
        return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
