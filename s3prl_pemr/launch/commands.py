"""Commands as modules: each has HELP, EXAMPLE, add_arguments and run; its docstring is its own --help."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from types import ModuleType

EXIT_STATUS = """exit status:
  0         done
  1         could not be done; one line on stderr says why
  2         the arguments do not fit
  130, 143  stopped by Ctrl-C or SIGTERM (SIGUSR1: 138); the same command again goes on
"""

FORMATTER = argparse.RawDescriptionHelpFormatter


def parse_command(
    program: str, description: str, commands: Mapping[str, ModuleType], arguments: Sequence[str] | None
) -> argparse.Namespace:
    """What was typed after a program with several commands, with the chosen module's `run` beside it.

    Args:
        program: the words before COMMAND.
        description: of --help.
        commands: by name.
        arguments: those of the command line if None.

    Raises: SystemExit after --help (0), and for arguments that do not fit (2).
    """
    parser = argparse.ArgumentParser(
        prog=program, description=description, epilog=EXIT_STATUS, formatter_class=FORMATTER
    )
    choices = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, module in commands.items():
        _take_over(choices.add_parser(name, help=module.HELP), module)
    return parser.parse_args(arguments)


def parse_single(program: str, command: ModuleType, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The same for a program that is one command."""
    parser = argparse.ArgumentParser(prog=program)
    _take_over(parser, command)
    return parser.parse_args(arguments)


def _take_over(parser: argparse.ArgumentParser, module: ModuleType) -> None:
    parser.description = module.__doc__
    parser.epilog = f"example:\n  {module.EXAMPLE}"
    parser.formatter_class = FORMATTER
    module.add_arguments(parser)
    parser.set_defaults(run=module.run)
