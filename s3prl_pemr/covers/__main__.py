"""`python -m s3prl_pemr.covers COMMAND ...`: each command is a module with HELP, add_arguments and run."""

import argparse
import logging
import sys

from s3prl_pemr.covers import embed, evaluate, identify
from s3prl_pemr.errors import one_line_errors

COMMANDS = {"embed": embed, "identify": identify, "evaluate": evaluate}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; what the user can mend ends in one line. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m s3prl_pemr.covers")
    parser.description = "Embed a collection of music, and find the covers of a track in it."
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING)
    with one_line_errors():
        try:
            return args.run(args)
        except KeyboardInterrupt:
            print("covers: interrupted; run the same command again to go on", file=sys.stderr)
            return 130


if __name__ == "__main__":
    sys.exit(main())
