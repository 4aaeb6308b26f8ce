"""`covers compare`: are two files the same work? Score, transposition, tempo, and a picture of both."""

from __future__ import annotations

import argparse
from pathlib import Path

from s3prl.downstream.cover_song.ranking.cosine import unit_rows

from s3prl_pemr.launch.outputs import check_file
from s3prl_pemr.report.printable import visible

from .identify import known_of
from .model import DEFAULT, add_model_arguments, open_model
from .ranking import ALIGNMENT_WEIGHT, Match, aligned

HELP = "whether two files are the same work"
EXAMPLE = "s3prl-pemr covers compare one.mp3 other.mp3 -o alignment.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("first", metavar="A", type=Path, help="an audio file")
    parser.add_argument("second", metavar="B", type=Path, help="another")
    parser.add_argument("-o", "--out", metavar="PNG", type=Path, help="a picture of both against each other")
    add_model_arguments(parser, DEFAULT)


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    if args.out:
        check_file(args.out, "--out")
    model = open_model(args.model or DEFAULT, args.device, args.upstream_ckpt)
    first, second = (known_of(path, model) for path in (args.first, args.second))
    found = aligned(first, second, path=True)
    cosine = float((unit_rows(first.embedding[None]) @ unit_rows(second.embedding[None]).T)[0, 0])
    match = Match(0, cosine + ALIGNMENT_WEIGHT * found.score, cosine, found)
    print(
        visible(
            f"score {match.score:.3f} (cosine {cosine:.3f}, alignment {found.score:.2f}); B against A: "
            f"{match.where()} of it, {found.tempo_ratio:.2f} times as long there"
        )
    )
    if args.out:
        from s3prl_pemr.report.files import write_png  # matplotlib: --help does without

        from .picture import alignment_figure

        write_png(args.out, alignment_figure(match, args.first.name, args.second.name))
        print(visible(f"saved to {args.out}"))
    print(
        visible(f"(what a score means shows against other music: covers identify A INDEX. {model.trust()})")
    )
    return 0
