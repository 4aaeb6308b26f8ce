"""`python -m PACKAGE COMMAND ...`, where each command is a module with HELP, add_arguments and run."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from types import ModuleType


def parse_command(
    program: str, description: str, commands: Mapping[str, ModuleType], arguments: Sequence[str] | None
) -> argparse.Namespace:
    """What was typed, with the chosen module's `run` beside its arguments.

    Args:
        program: the words before COMMAND.
        description: of --help.
        commands: by name; a module's docstring is its own --help.
        arguments: those of the command line if None.

    Raises: SystemExit after --help, and for arguments that do not fit.
    """
    parser = argparse.ArgumentParser(prog=program, description=description)
    choices = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, module in commands.items():
        command = choices.add_parser(name, help=module.HELP, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser.parse_args(arguments)
