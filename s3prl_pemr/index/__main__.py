"""`s3prl-pemr index COMMAND ...`, also as `python -m s3prl_pemr.index`."""

import sys
from collections.abc import Sequence

from s3prl_pemr.launch.commands import parse_command
from s3prl_pemr.launch.errors import one_line_errors

from . import accelerate, compact, export, join

COMMANDS = {"accelerate": accelerate, "compact": compact, "join": join, "export": export}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what the user can mend ends in one line. Returns the exit status."""
    description = "Keep indexes of vectors that `covers embed` and `embed OUT.index` wrote."
    args = parse_command("s3prl-pemr index", description, COMMANDS, arguments)
    with one_line_errors():
        return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
