"""`s3prl-pemr covers COMMAND ...`, also as `python -m s3prl_pemr.covers`."""

import logging
import sys

from s3prl_pemr.boards import mirex
from s3prl_pemr.index import accelerate, compact, export, join
from s3prl_pemr.launch.commands import parse_command
from s3prl_pemr.launch.errors import one_line_errors

from . import compare, duplicates, embed, evaluate, identify, report, scan

COMMANDS = {
    "embed": embed,
    "identify": identify,
    "compare": compare,
    "scan": scan,
    "duplicates": duplicates,
    "report": report,
    "evaluate": evaluate,
    "mirex": mirex,
    "accelerate": accelerate,
    "compact": compact,
    "join": join,
    "export": export,
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; what the user can mend ends in one line. Returns the exit status."""
    description = "Embed a collection of music and find covers in it; nothing has to be trained."
    args = parse_command("s3prl-pemr covers", description, COMMANDS, arguments)
    logging.basicConfig(level=logging.WARNING)
    with one_line_errors():
        return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
