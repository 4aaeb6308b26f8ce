"""Which listed versions are kept, and what is said of the others."""

from s3prl_pemr.prepare.datasets.covers.alignment import LONE, NO_FILE, Version, align

WHOLE = [Version("train", "whole", name) for name in ("a", "b")]
PARTLY = [Version("train", "partly", name) for name in ("c", "d", "e")]
LOST = [Version("test", "lost", name) for name in ("f", "g")]
ALONE = [Version("test", "alone", "h")]  # a distractor of the data set's authors
LISTED = [*WHOLE, *PARTLY, *LOST, *ALONE]


def test_works_that_keep_two_versions_and_those_that_lose_them():
    found = align(LISTED, {"a", "b", "c", "e", "f", "h"}, keep_lone=False)
    assert list(found.kept) == [*WHOLE, PARTLY[0], PARTLY[2], *ALONE]
    assert list(found.left_out) == [(PARTLY[1], NO_FILE), (LOST[0], LONE), (LOST[1], NO_FILE)]
    assert found.lines() == [
        "train: 2 of 2 works (100.0 %), 1 of them whole, and 4 of 5 versions (80.0 %) are kept; left out, no "
        "file: 1 versions",
        "test: 1 of 2 works (50.0 %), 1 of them whole, and 1 of 3 versions (33.3 %) are kept; left out, no "
        "file: 1 versions; left out, no other version of its work has a file: 1 versions",
    ]


def test_the_one_version_that_is_left_may_be_kept():
    found = align(LISTED, {"c", "f"}, keep_lone=True)
    assert list(found.kept) == [PARTLY[0], LOST[0]]
    assert {reason for _, reason in found.left_out} == {NO_FILE}
    assert "1 works have lost all versions but one and are no queries" in found.lines()[1]


def test_a_work_in_two_splits_is_two_works():
    both = [Version("valid", "w", "a"), Version("valid", "w", "b"), Version("test", "w", "c")]
    found = align(both, {"a", "c"}, keep_lone=False)
    assert list(found.kept) == [both[2]]


def test_nothing_found():
    found = align(LISTED, set(), keep_lone=False)
    assert not found.kept and len(found.left_out) == len(LISTED)
    assert found.lines()[0].startswith("train: 0 of 2 works (0.0 %), 0 of them whole, and 0 of 5 versions")


def test_the_table_of_what_is_left_out(tmp_path):
    path = align(LISTED, {"a", "b", "f"}, keep_lone=False).write(tmp_path)
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    assert rows[0] == ["split", "work", "id", "why"]
    assert rows[1] == ["train", "partly", "c", "no file"]
    assert rows[4] == ["test", "lost", "f", "no other version of its work has a file"]
    assert len(rows) == 1 + 6
