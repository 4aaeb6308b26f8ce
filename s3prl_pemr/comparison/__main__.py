"""`s3prl-pemr demo` and `s3prl-pemr compare`; also `python -m s3prl_pemr.comparison demo` and `compare`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from s3prl_pemr.comparison import compare as compare_command
from s3prl_pemr.first_look import demo as demo_command
from s3prl_pemr.launch.commands import parse_command, parse_single
from s3prl_pemr.launch.errors import one_line_errors


def demo(arguments: Sequence[str] | None = None) -> int:
    """`s3prl-pemr demo`. Returns the exit status."""
    return _run(parse_single("s3prl-pemr demo", demo_command, arguments))


def compare(arguments: Sequence[str] | None = None) -> int:
    """`s3prl-pemr compare`. Returns the exit status."""
    return _run(parse_single("s3prl-pemr compare", compare_command, arguments))


def main(arguments: Sequence[str] | None = None) -> int:
    """The older spelling of both. Returns the exit status."""
    description = "Pretrain and compare, one command after the other; the same command again goes on."
    commands = {"demo": demo_command, "compare": compare_command}
    return _run(parse_command("python -m s3prl_pemr.comparison", description, commands, arguments))


def _run(args) -> int:
    with one_line_errors():
        return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
