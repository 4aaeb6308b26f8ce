"""`python -m s3prl_pemr.comparison COMMAND ...`: each command is a module with HELP, add_arguments, run."""

import argparse
import sys

import s3prl_pemr  # noqa: F401 - before anything of s3prl's

# isort: split
from s3prl_pemr.comparison import demo, methods
from s3prl_pemr.errors import one_line_errors

COMMANDS = {"demo": demo, "methods": methods}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; what the user can mend ends in one line. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m s3prl_pemr.comparison")
    parser.description = "Pretrain and compare, one command after the other; the same command again goes on."
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    args = parser.parse_args(arguments)
    with one_line_errors():
        return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
