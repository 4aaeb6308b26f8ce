"""`covers scan`: what was played when in a long recording, as a table, JSON or a cue sheet."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from s3prl.downstream.cover_song.cqt.columns import SECONDS
from s3prl.downstream.cover_song.ranking.cosine import unit_rows

from s3prl_pemr.launch.outputs import check_file
from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.whole_file import write_whole

from .identify import known_of, model_of
from .index import PIECES, CoverIndex, read_index
from .model import add_model_arguments
from .ranking import ALIGNMENT_WEIGHT, aligned
from .track import PIECE_COLUMNS, PIECE_HOP_COLUMNS, Known, clock, piece_starts

HELP = "what was played when in a long recording"
EXAMPLE = "s3prl-pemr covers scan concert.mp3 INDEX --cue concert.cue"
BLOCK_TRACKS = 256  # whose pieces are compared at a time
CANDIDATES = 8  # tracks that a piece of the recording is aligned with
CUE_FRAMES = 75  # a second of a cue sheet


@dataclass
class Played:
    """A stretch of the recording, in columns, and the track of the index that it is most like."""

    start: int
    end: int
    row: int
    score: float

    @property
    def seconds(self) -> tuple[float, float]:
        """From and to."""
        return self.start * SECONDS, self.end * SECONDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("recording", metavar="RECORDING", type=Path, help="an audio file: a concert, a mix")
    parser.add_argument("index", metavar="INDEX", type=Path)
    parser.add_argument(
        "--least", metavar="SCORE", type=float, default=1.4,
        help="pieces whose best track scores less are nothing known (default: 1.4)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="a JSON list")
    parser.add_argument("--cue", metavar="FILE", type=Path, help="write a cue sheet")
    add_model_arguments(parser, "the index's own")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    if args.cue:
        check_file(args.cue, "--cue")
    index = read_index(args.index)
    if not any(
        PIECES in segment.arrays and len(segment.arrays[PIECES]) for segment in index.vectors.segments
    ):
        raise ValueError(f"{args.index}: knows no pieces of its tracks; embed anew, without --model")
    recording = known_of(args.recording, model_of(index, args))
    played = joined(pieces_found(recording, index, args.least))
    if args.json:
        print(json.dumps([{**_as_json(piece), "track": index.vectors.name(piece.row)} for piece in played]))
    else:
        for piece in played:
            times = f"{clock(piece.start):>6} - {clock(piece.end):>6}"
            print(f"{times}  {piece.score:.2f}  {printable(index.vectors.name(piece.row))}")
    if args.cue:
        write_whole(args.cue, cue_sheet(args.recording, played, index).encode())
        print(visible(f"saved to {args.cue}"))
    return 0


def pieces_found(recording: Known, index: CoverIndex, least: float) -> list[Played]:
    """The best track of each piece of a recording; pieces below `least` are left out.

    A piece is compared with the pieces of every track, then aligned with the best tracks as a whole; of it
    counts what goes along with the track.
    """
    found = []
    starts = piece_starts(recording.chroma.shape[1])
    candidates = best_tracks(index, unit_rows(recording.pieces))
    for start, best in zip(starts, Progress(candidates, "scan", unit="piece"), strict=True):
        end = min(start + PIECE_COLUMNS, recording.chroma.shape[1])
        piece = Known(recording.embedding, recording.chroma[:, start:end], recording.pieces[:0])
        scored = [
            (cosine + ALIGNMENT_WEIGHT * aligned(piece, index.known[row]).score, row) for row, cosine in best
        ]
        score, row = max(scored)
        if score >= least:
            (first, last), _ = aligned(piece, index.known[row], path=True).stretches
            found.append(Played(start + first, min(start + last, end), row, float(score)))
    return found


def best_tracks(index: CoverIndex, pieces: np.ndarray) -> list[list[tuple[int, float]]]:
    """For each piece the CANDIDATES tracks of which a piece is most like it, best first, with its cosine.

    The index is gone through by blocks of tracks.

    Args: pieces: of length 1, (P, E).
    """
    rows = np.empty((len(pieces), 0), np.int64)
    cosines = np.empty((len(pieces), 0))
    for first, counts, block in _blocks(index):
        own = np.flatnonzero(counts) + first
        starts = np.cumsum(counts)[counts > 0] - counts[counts > 0]
        found = np.maximum.reduceat(pieces @ unit_rows(block).T, starts, axis=1)
        rows = np.concatenate([rows, np.broadcast_to(own, found.shape)], axis=1)
        cosines = np.concatenate([cosines, found], axis=1)
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :CANDIDATES]
        rows, cosines = (np.take_along_axis(values, order, axis=1) for values in (rows, cosines))
    return [list(zip(*both, strict=True)) for both in zip(rows.tolist(), cosines.tolist(), strict=True)]


def _blocks(index: CoverIndex) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Tracks of which pieces are known: the first one's row, how many each has, and the pieces."""
    first = 0
    for segment in index.vectors.segments:
        if PIECES in segment.arrays:
            counts = segment.counts(PIECES)
            for place, block in enumerate(segment.blocks(PIECES, BLOCK_TRACKS)):
                start = place * BLOCK_TRACKS
                if len(block):
                    yield first + start, counts[start : start + BLOCK_TRACKS], block
        first += len(segment)


def joined(pieces: list[Played]) -> list[Played]:
    """Pieces of one track that follow one another, as one; where two tracks overlap, the middle parts."""
    played: list[Played] = []
    for piece in pieces:
        if played and played[-1].row == piece.row and piece.start <= played[-1].end + PIECE_HOP_COLUMNS:
            played[-1].end = max(played[-1].end, piece.end)
            played[-1].score = max(played[-1].score, piece.score)
            continue
        if played and piece.start < played[-1].end:
            middle = (piece.start + played[-1].end) // 2
            played[-1].end, piece.start = middle, middle
        played.append(piece)
    return played


def cue_sheet(recording: Path, played: list[Played], index: CoverIndex) -> str:
    """The cue sheet of what was played; gaps are tracks of their own, titled unknown."""
    lines, number, end = [f'FILE "{_quoted(recording.name)}" WAVE'], 0, 0
    for piece in played:
        entries = [(end, "unknown")] if piece.start > end else []
        for start, title in [*entries, (piece.start, index.vectors.name(piece.row))]:
            number += 1
            frames = round(start * SECONDS * CUE_FRAMES)
            minutes, seconds = divmod(frames // CUE_FRAMES, 60)
            lines += [f"  TRACK {number:02d} AUDIO", f'    TITLE "{_quoted(title)}"']
            lines.append(f"    INDEX 01 {minutes:02d}:{seconds:02d}:{frames % CUE_FRAMES:02d}")
        end = piece.end
    return "\n".join(lines) + "\n"


def _as_json(piece: Played) -> dict:
    start, end = piece.seconds
    return {"start": round(start, 1), "end": round(end, 1), "score": piece.score}


def _quoted(text: str) -> str:
    return printable(text).replace('"', "'")
