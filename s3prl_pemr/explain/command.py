"""What PEMR finds important in a track: a picture, or a page on which its two views can be heard.

Waveform, log-mel and the importance of every frame (Eq. 4); the frames that Eq. 5 masks are red. The track is
looked at in crops of 2.7 s, as the transformer was trained.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from s3prl_pemr.audio import UnreadableAudio, read_audio
from s3prl_pemr.launch.outputs import check_file
from s3prl_pemr.report.printable import printable, visible

HELP = "what PEMR finds important in a track, to be seen and heard"
EXAMPLE = "s3prl-pemr explain song.mp3 -o song.html"
MOST_SECONDS = 600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add("audio", metavar="AUDIO", type=Path)
    add("-o", "--out", metavar="OUT", type=Path, help=".html or .png; default: AUDIO's name and .html")
    add("-k", "--ckpt", metavar="CKPT", default="pemr", help="default: the weights that come along")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    out = args.out or Path(f"{args.audio.stem}.html")
    if out.suffix not in (".html", ".png"):
        raise ValueError(f"-o {out}: .html or .png")
    check_file(out, "-o")
    import s3prl_pemr

    from .importance import explain

    model = s3prl_pemr.load(args.ckpt)
    if not hasattr(model, "importance"):
        raise ValueError(f"-k {args.ckpt}: a {type(model).__name__}, which has no masks; PEMR has")
    try:
        wav = read_audio(args.audio)
    except UnreadableAudio as error:
        raise ValueError(f"{args.audio}: {error.reason}") from error
    most = MOST_SECONDS * model.sample_rate
    if len(wav) > most:
        print(visible(f"{args.audio}: the first {MOST_SECONDS // 60} minutes"), file=sys.stderr)
        wav = wav[:most]
    found = explain(model, wav)
    _write(out, wav[: len(found.importance) * found.hop_samples], found, args)
    print(visible(f"saved to {out}: {found.seconds:.0f} s, {int((found.positive == 0).sum())} frames masked"))
    return 0


def _write(out: Path, wav, found, args: argparse.Namespace) -> None:
    from s3prl_pemr.report.files import write_png
    from s3prl_pemr.safety.whole_file import write_whole

    from .page import explained_page
    from .picture import explained_figure

    name = printable(args.audio.name)
    figure = explained_figure(wav, found, name)
    if out.suffix == ".png":
        write_png(out, figure, dpi=80)
    else:
        model = "The weights that come along." if args.ckpt == "pemr" else f"Weights: {printable(args.ckpt)}."
        write_whole(out, explained_page(figure, wav, found, args.audio.name, model).encode())
