"""`covers report`: a query's answers as a page, each with both recordings to be heard and their alignment."""

from __future__ import annotations

import argparse
import html
from pathlib import Path

from s3prl.downstream.cover_song.cqt.columns import SECONDS

from s3prl_pemr.audio import SAMPLE_RATE, UnreadableAudio, read_audio
from s3prl_pemr.launch.outputs import check_file
from s3prl_pemr.report.data_urls import picture_url, sound_url
from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.safety.whole_file import write_whole

from .identify import known_of, model_of
from .index import CoverIndex, read_index
from .model import add_model_arguments
from .ranking import Match, false_alarm, rank
from .track import clock

HELP = "a page with a query's answers to be heard beside it"
EXAMPLE = "s3prl-pemr covers report song.mp3 INDEX MUSIC -o page.html"
HEARD_SECONDS = 30  # of each recording, from where they begin to go together
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 1.5em; color: #111; max-width: 62em }}
section {{ border-top: 1px solid #ccc; padding: .5em 0 1em }} img {{ width: 30em; max-width: 100% }}
.heard {{ display: flex; gap: 2em; flex-wrap: wrap }} audio {{ display: block; width: 20em }}
</style></head><body><h1>{title}</h1><p>{about}</p>
{answers}
</body></html>
"""
ANSWER = """<section><h2>{place}. {track}</h2><p>score {score:.3f}: {where}</p>
<div class="heard"><div>the query, from {query_from}<audio controls src="{query}"></audio></div>
<div>{track}, from {track_from}<audio controls src="{found}"></audio></div></div>
<p><img alt="where {track} goes along with the query" src="{picture}"></p></section>"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("query", metavar="QUERY", type=Path, help="an audio file")
    parser.add_argument("index", metavar="INDEX", type=Path)
    parser.add_argument("music", metavar="MUSIC", type=Path, help="the folder that INDEX was made of")
    parser.add_argument(
        "-o", "--out", metavar="HTML", type=Path, required=True, help="one file, with all in it"
    )
    parser.add_argument("--top", type=int, default=3, help="how many answers (default: 3)")
    add_model_arguments(parser, "the index's own")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    check_file(args.out, "--out")
    if args.top < 1:
        raise ValueError("--top must be at least 1")
    index = read_index(args.index)
    if len(index.silent_rows) == len(index) or index.known[0].chroma is None:
        raise ValueError(f"{args.index}: holds no tracks whose chroma could be aligned; embed anew")
    matches = rank(known_of(args.query, model_of(index, args)), index, args.top)
    chance = false_alarm([match.score for match in matches])
    about = "Too few tracks to say whether the first is a cover."
    if chance is not None:
        about = f"Unrelated tracks are as good as the first with a chance of {chance:.2g}."
    write_whole(args.out, page(args.query, matches[: args.top], index, args.music, about).encode())
    print(visible(f"saved to {args.out}"))
    return 0


def page(query: Path, matches: list[Match], index: CoverIndex, music: Path, about: str) -> str:
    """The whole page. Raises ValueError (one line) where a recording is no longer there."""
    from .picture import alignment_figure  # matplotlib: --help does without

    answers = []
    for place, match in enumerate(matches, start=1):
        track = index.vectors.name(match.row)
        (query_from, _), (track_from, _) = match.alignment.stretches
        answers.append(
            ANSWER.format(
                place=place,
                track=html.escape(printable(track)),
                score=match.score,
                where=html.escape(match.where()),
                query_from=clock(query_from),
                track_from=clock(track_from),
                query=_heard(query, query_from),
                found=_heard(music / track, track_from),
                picture=picture_url(alignment_figure(match, query.name, track)),
            )
        )
    title = html.escape(f"What {printable(query.name)} may be a cover of")
    return PAGE.format(title=title, about=html.escape(about), answers="\n".join(answers))


def _heard(path: Path, first_column: int) -> str:
    """HEARD_SECONDS of a file as mp3 in a data URL."""
    try:
        wav = read_audio(path)
    except (UnreadableAudio, OSError) as error:
        raise ValueError(
            f"{path}: cannot be heard ({error}); MUSIC is the folder that INDEX is of"
        ) from error
    start = round(first_column * SECONDS * SAMPLE_RATE)
    return sound_url(wav[start : start + HEARD_SECONDS * SAMPLE_RATE], SAMPLE_RATE)
