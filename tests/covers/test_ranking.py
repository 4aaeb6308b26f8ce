"""Which matches come first, what is said of none, and what a long recording is made of."""

import numpy as np
import pytest
from written import write_index, write_single_file

from s3prl_pemr.covers.index import read_index
from s3prl_pemr.covers.ranking import Match, false_alarm, rank
from s3prl_pemr.covers.scan import Played, cue_sheet, joined
from s3prl_pemr.covers.track import PIECE_COLUMNS, PIECE_HOP_COLUMNS, Known, piece_starts


def track(embedding, seed, columns=60):
    chroma = np.random.default_rng(seed).integers(0, 255, (12, columns), np.uint8)
    return Known(np.asarray(embedding, np.float32), chroma, np.zeros((0, 2), np.float16))


def test_an_alignment_lifts_a_version_above_what_is_only_alike(tmp_path):
    query = track([1, 0], 0)
    version = Known(np.float32([0.9, 0.1]), np.roll(query.chroma[:, 10:], 3, axis=0), query.pieces)
    known = [track([1, 0.01], 1), version, track([-1, 0], 2)]
    index = write_index(tmp_path / "INDEX", "abc", known, np.zeros((3, 2)), {}, "ready")
    matches = rank(query, index, top=2)
    assert [match.row for match in matches] == [1, 0, 2]
    assert matches[1].cosine > matches[0].cosine
    assert matches[0].alignment.semitones == 9  # back down by three
    assert matches[0].where().startswith("+3 semitones, 0:05-0:2")
    assert matches[2].alignment.path is None  # only of those that are wanted
    found = matches[0].as_json("a.mp3", 0.01)
    assert found["query_seconds"][0] == pytest.approx(4.6) and found["track_seconds"][0] == 0.0
    assert found["tempo_ratio"] == pytest.approx(1.0) and found["semitones"] == 3


def test_a_row_can_be_left_out_and_an_index_without_chroma_is_ranked_by_cosine(tmp_path):
    old = [Known(np.float32(row), None, None) for row in ([1, 0], [0, 1], [1, 1])]
    write_single_file(tmp_path / "old.npz", "abc", old, np.zeros((3, 2), np.int64), {}, "ready")
    matches = rank(track([1, 0.1], 0), read_index(tmp_path / "old.npz"), top=5, without=0)
    assert [match.row for match in matches] == [2, 1]
    assert matches[0].score == matches[0].cosine
    assert matches[0].where() == ""


def test_false_alarms_of_an_exponential_tail_are_as_rare_as_said():
    """The best of 200 unrelated scores: the stated chance is uniform."""
    rng = np.random.default_rng(0)
    stated = [false_alarm(np.sort(rng.exponential(0.2, 200))[::-1][:20] + 1) for _ in range(2000)]
    for level in (0.05, 0.1, 0.3):
        assert np.mean(np.array(stated) < level) == pytest.approx(level, abs=0.02)
    scores = np.sort(rng.exponential(0.2, 200))[::-1][:20] + 1
    assert false_alarm([scores[0] + 3, *scores[1:]]) < 1e-3
    # up to four covers do not hide each other
    assert false_alarm([*(scores[:4] + 3), *scores[4:]]) < 1e-3
    assert false_alarm(scores[:14]) is None


def test_pieces_of_a_track():
    assert piece_starts(20) == piece_starts(PIECE_COLUMNS) == [0]
    assert piece_starts(PIECE_COLUMNS + PIECE_HOP_COLUMNS + 4) == [
        0,
        PIECE_HOP_COLUMNS,
        PIECE_HOP_COLUMNS + 4,
    ]


def test_pieces_of_one_track_are_joined_and_overlaps_parted():
    pieces = [
        Played(0, 60, 1, 1.5),
        Played(15, 75, 1, 2.0),
        Played(60, 120, 2, 1.4),
        Played(300, 360, 2, 1.6),
    ]
    found = [(piece.start, piece.end, piece.row, piece.score) for piece in joined(pieces)]
    assert found == [(0, 67, 1, 2.0), (67, 120, 2, 1.4), (300, 360, 2, 1.6)]


def test_a_cue_sheet(tmp_path):
    names, known = ["a.mp3", 'b "live".mp3'], [track([1, 0], 1), track([0, 1], 2)]
    index = write_index(tmp_path / "INDEX", names, known, np.zeros((2, 2)), {}, "ready")
    sheet = cue_sheet(tmp_path / "mix.wav", [Played(0, 129, 0, 1.5), Played(258, 300, 1, 1.5)], index)
    assert sheet.splitlines() == [
        'FILE "mix.wav" WAVE',
        "  TRACK 01 AUDIO", '    TITLE "a.mp3"', "    INDEX 01 00:00:00",
        "  TRACK 02 AUDIO", '    TITLE "unknown"', "    INDEX 01 00:59:68",  # 129 columns: 59.91 s
        "  TRACK 03 AUDIO", "    TITLE \"b 'live'.mp3\"", "    INDEX 01 01:59:61",
    ]  # fmt: skip


def test_a_match_without_alignment_says_no_place():
    assert Match(0, 0.5, 0.5).as_json("a", None) == {
        "track": "a", "score": 0.5, "cosine": 0.5, "false_alarm": None
    }  # fmt: skip


def test_pieces_of_one_track_that_nearly_meet_are_joined():
    pieces = [Played(0, 60, 1, 1.5), Played(70, 90, 1, 1.4), Played(75, 80, 1, 2.5), Played(200, 230, 1, 1.6)]
    found = [(piece.start, piece.end, piece.score) for piece in joined(pieces)]
    assert found == [(0, 90, 2.5), (200, 230, 1.6)]
