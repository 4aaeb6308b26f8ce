"""`covers identify`: the tracks of an index that are most like a file, or that none is."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from s3prl_pemr.prepare.datasets.folder import list_folder
from s3prl_pemr.prepare.summary import name_some
from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.report.progress import Progress

from .index import CoverIndex, read_index, refuse_other_model
from .model import READY, CoverModel, add_model_arguments, open_model
from .ranking import Match, false_alarm, rank
from .track import Known, hear

HELP = "which tracks of an index a file is a cover of"
EXAMPLE = "s3prl-pemr covers identify song.mp3 INDEX --top 5"
COLUMNS = ("query", "rank", "track", "score", "cosine", "false_alarm", "semitones", "tempo_ratio",
           "query_from", "query_to", "track_from", "track_to")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "queries", metavar="QUERY", type=Path, nargs="+", help="audio files, or folders of them"
    )
    parser.add_argument("index", metavar="INDEX", type=Path)
    parser.add_argument("--top", type=int, default=10, help="how many (default: 10)")
    parser.add_argument(
        "--false-alarms", metavar="P", type=float, default=0.1,
        help="with a chance above P that unrelated tracks are as good, no cover is claimed (default: 0.1)",
    )  # fmt: skip
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a JSON object a line and query")
    form.add_argument("--tsv", action="store_true", help="a table, a row an answer; times in seconds")
    add_model_arguments(parser, "the index's own")


def run(args: argparse.Namespace) -> int:
    """Carry out the command: rank, score, track. Returns the exit status; raises ValueError (one line)."""
    index = read_index(args.index)
    if args.top < 1:
        raise ValueError("--top must be at least 1")
    if not 0 < args.false_alarms <= 1:
        raise ValueError("--false-alarms is a probability above 0")
    queries = _files(args.queries)
    model = model_of(index, args)
    silent = sorted(index.silent_tracks)
    if len(silent) == len(index):
        raise ValueError(f"{args.index}: all of its {len(silent)} tracks are silent")
    unreadable = 0
    if args.tsv:
        print(*COLUMNS, sep="\t")
    for path in Progress(queries, "identify", disable=len(queries) == 1, unit="query"):
        try:
            query = known_of(path, model)
        except ValueError as error:
            if len(queries) == 1:
                raise
            unreadable += 1
            print(visible(str(error)), file=sys.stderr)
            continue
        _tell(path, rank(query, index, args.top), index, args, len(queries) > 1)
    print(visible(f"({model.trust()})"), file=sys.stderr)
    if silent:
        line = f"{len(silent)} silent tracks of {args.index} are left out: {name_some(silent)}"
        print(visible(line), file=sys.stderr)
    return 1 if unreadable == len(queries) else 0


def model_of(index: CoverIndex, args: argparse.Namespace) -> CoverModel:
    """The model that made an index, or --model if that is the same one. Raises ValueError (one line)."""
    where = args.model or index.model
    if where not in READY and args.model is None and not Path(where).is_file():
        raise ValueError(
            f"{args.index}: its model {where} is no longer there; say where it is now with --model"
        )
    model = open_model(where, args.device, args.upstream_ckpt)
    refuse_other_model(index, args.index, model.fingerprint)
    return model


def known_of(path: Path, model: CoverModel) -> Known:
    """What the model knows of a file. Raises ValueError (one line) where there is nothing to hear."""
    heard = hear(str(path))
    if heard.reason:
        raise ValueError(f"{path}: {heard.reason}")
    if heard.silent:
        raise ValueError(f"{path}: is silent")
    if heard.note:
        print(f"{printable(str(path))}: {heard.note}", file=sys.stderr)
    return model.know(heard, str(path))


def _files(given: list[Path]) -> list[Path]:
    files = []
    for path in given:
        files += [source.path for source in list_folder(path).sources] if path.is_dir() else [path]
    if not files:
        raise ValueError(f"{given[0]}: holds no audio files")
    missing = [path for path in files if not path.exists()]
    if missing:
        raise ValueError(f"{missing[0]}: no such file")
    return files


def _tell(path: Path, matches: list[Match], index: CoverIndex, args: argparse.Namespace, named: bool) -> None:
    chance = false_alarm([match.score for match in matches])
    claimed = chance is None or chance <= args.false_alarms
    if args.json:
        found = [match.as_json(index.vectors.name(match.row), chance) for match in matches[: args.top]]
        print(json.dumps({"query": str(path), "cover": claimed and chance is not None, "matches": found}))
        return
    if args.tsv:
        for place, match in enumerate(matches[: args.top], start=1):
            print(*_row(path, place, match.as_json(index.vectors.name(match.row), chance)), sep="\t")
        return
    if named:
        print(f"{printable(str(path))}:")
    for place, match in enumerate(matches[: args.top], start=1):
        where = match.where() if place == 1 or match.score > 0.8 * matches[0].score else ""
        track = printable(index.vectors.name(match.row))
        print(f"{place:3}  {match.score:.3f}  {track}" + (f"  ({where})" if where else ""))
    if chance is None:
        print("too few tracks to say whether the first is a cover", file=sys.stderr)
        return
    what = "the first is a cover" if claimed else "none of these seems to be a cover"
    print(f"{what}: unrelated tracks are as good with a chance of {chance:.2g}", file=sys.stderr)


def _row(path: Path, place: int, found: dict) -> list[str]:
    """A line of --tsv: COLUMNS of Match.as_json; what is not known stays empty."""
    ends = [*found.get("query_seconds", ("", "")), *found.get("track_seconds", ("", ""))]
    numbers = [found.get(name) for name in COLUMNS[3:8]]
    shown = ["" if number is None else f"{number:.4g}" for number in numbers]
    return [printable(str(path)), str(place), printable(found["track"]), *shown, *map(str, ends)]
