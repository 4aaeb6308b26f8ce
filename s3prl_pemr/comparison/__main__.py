"""`python -m s3prl_pemr.comparison COMMAND ...`: each command is a module with HELP, add_arguments, run."""

import sys

import s3prl_pemr  # noqa: F401 - before anything of s3prl's

# isort: split
from s3prl_pemr.launch.commands import parse_command
from s3prl_pemr.launch.errors import one_line_errors

from . import demo, methods

COMMANDS = {"demo": demo, "methods": methods}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; what the user can mend ends in one line. Returns the exit status."""
    description = "Pretrain and compare, one command after the other; the same command again goes on."
    args = parse_command("python -m s3prl_pemr.comparison", description, COMMANDS, arguments)
    with one_line_errors():
        return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
