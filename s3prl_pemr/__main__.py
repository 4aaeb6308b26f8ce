"""`s3prl-pemr COMMAND ...`, also as `python -m s3prl_pemr`: imports the one command that is run."""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from s3prl_pemr import __version__
from s3prl_pemr.launch.commands import EXIT_STATUS


class Command(NamedTuple):
    """`program`: module:function, called with the arguments behind the command; returns the exit status."""

    program: str
    help: str


COMMANDS = {
    "prepare": Command("s3prl_pemr.prepare.__main__:main", "audio files or a data set into a store"),
    "pretrain": Command("s3prl_pemr.launch.pretrain:main", "pretrain PEMR or a baseline on a store"),
    "downstream": Command(
        "s3prl_pemr.launch.downstream:main", "train and score a task on any upstream, in s3prl's own loop"
    ),
    "covers": Command("s3prl_pemr.covers.__main__:main", "find covers in a folder of music"),
    "embed": Command("s3prl_pemr.embedding.__main__:main", "vectors of a folder of music by any upstream"),
    "index": Command(
        "s3prl_pemr.index.__main__:main", "speed up, compact, join and export indexes of vectors"
    ),
    "export": Command(
        "s3prl_pemr.sharing.__main__:main", "a model as ONNX, .pt2 or a folder of the Hugging Face hub"
    ),
    "explain": Command(
        "s3prl_pemr.explain.__main__:main", "what PEMR finds important in a track, to be seen and heard"
    ),
    "map": Command(
        "s3prl_pemr.explain.__main__:clip_map", "a map of a tagged store by what an upstream hears"
    ),
    "compare": Command(
        "s3prl_pemr.comparison.__main__:compare",
        "upstreams and methods side by side, from a plan to a report",
    ),
    "mteb": Command(
        "s3prl_pemr.boards.__main__:main", "score an upstream or a cover model on mteb's audio tasks"
    ),
    "rerun": Command("s3prl_pemr.launch.rerun:main", "print the commands that repeat a run"),
    "demo": Command("s3prl_pemr.comparison.__main__:demo", "a first look that needs no data, in minutes"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status; raises SystemExit after --help and for an unknown command."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] not in COMMANDS:
        _parser().parse_args(arguments[:1] or ["--help"])
        _parser().error(_unknown(arguments[0]))
    module, function = COMMANDS[arguments[0]].program.split(":")
    try:
        return getattr(importlib.import_module(module), function)(arguments[1:]) or 0
    except KeyboardInterrupt:
        print(f"{arguments[0]}: interrupted; run the same command again to go on", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    commands = "".join(f"  {name:{width}}  {command.help}\n" for name, command in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="s3prl-pemr",
        usage="%(prog)s COMMAND ...",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Self-supervised music representation for s3prl.",
        epilog=f"commands (each has its own --help):\n{commands}\nexample:\n"
        f"  s3prl-pemr prepare folder MUSIC STORE\n\n{EXIT_STATUS}",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    return parser


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    return f"unknown command {name!r}; " + (f"did you mean {near[0]}?" if near else "--help lists them")


if __name__ == "__main__":
    sys.exit(main())
