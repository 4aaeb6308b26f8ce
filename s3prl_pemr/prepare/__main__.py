"""`s3prl-pemr prepare COMMAND ...`, also as `python -m s3prl_pemr.prepare`."""

import sys

from s3prl.downstream.cover_song.cqt import command as cqt

from s3prl_pemr.launch.commands import parse_command
from s3prl_pemr.launch.errors import line_of
from s3prl_pemr.launch.outputs import check_folder
from s3prl_pemr.report.printable import visible

from . import join, verify
from .datasets import demo, folder, gtzan, mtat
from .datasets.covers import covers80, da_tacos, discogs_vi, shs100k
from .datasets.marble import emo, giantsteps, jamendo, nsynth

COMMANDS = {
    "folder": folder,
    "mtat": mtat,
    "gtzan": gtzan,
    "shs100k": shs100k,
    "covers80": covers80,
    "discogs-vi": discogs_vi,
    "da-tacos": da_tacos,
    "nsynth": nsynth,
    "jamendo": jamendo,
    "emo": emo,
    "giantsteps": giantsteps,
    "demo": demo,
    "join": join,
    "cqt": cqt,
    "verify": verify,
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; what the user can mend ends in one line. Returns the exit status."""
    description = "Turn audio files into a store: 16 kHz mono int16 in one file, and an index."
    args = parse_command("s3prl-pemr prepare", description, COMMANDS, arguments)
    try:
        if "destination" in args:
            check_folder(args.destination, "DST")
        return args.run(args)
    except (ValueError, OSError) as error:
        line = line_of(error) or (str(error) if isinstance(error, OSError) else None)
        if line is None:
            raise
        print(visible(f"prepare: {line}"), file=sys.stderr)
    except KeyboardInterrupt:
        print("prepare: interrupted; run the same command again to go on", file=sys.stderr)
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
