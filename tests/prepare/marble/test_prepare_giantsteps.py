"""`prepare giantsteps` on a few tracks in the layouts of the two key data sets."""

import pytest
from marble_layouts import KEYS, make_giantsteps
from prepare_fixtures import error_line

from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.prepare.datasets.marble import giantsteps_tables
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.groups import read_groups
from s3prl_pemr.store.tag_list import read_tags

TABLES = "giantsteps-mtg-key-dataset-fd7b8c5/annotations"


def run(root):
    return main(["giantsteps", str(root), str(root.parent / "STORE"), "--jobs", "1"])


def test_keys_and_splits(tmp_path, capsys):
    assert run(make_giantsteps(tmp_path / "gs")) == 0
    store = AudioStore(tmp_path / "STORE")
    assert store.tracks == [*map(str, range(10, 18)), *map(str, range(200, 206))]
    assert store.splits[8:] == ["test"] * 6 and set(store.splits[:8]) <= {"train", "valid"}
    names = list(KEYS)
    assert store.labels == [[names[int(track) % 3]] for track in store.tracks]
    assert len(read_tags(store.path)) == 24
    groups = read_groups(store.path)
    assert groups["10"].artist == "DJ 10, MC 5" and groups["200"].artist == ""
    splits = dict(zip(store.tracks, store.splits, strict=True))
    assert all(splits[str(n)] == splits[str(n + 1)] for n in range(10, 18, 2))  # who share an MC
    assert (
        "2 tracks of giantsteps-mtg-key-dataset are left out, their keys uncertain" in capsys.readouterr().out
    )


def test_spellings():
    """mir_eval reads all 24 keys, and a sharp is the same key as its flat there."""
    mir_eval_key = pytest.importorskip("mir_eval.key")
    for key in giantsteps_tables.KEYS:
        mir_eval_key.validate_key(key)
    assert len(set(map(mir_eval_key.split_key_string, giantsteps_tables.KEYS))) == 24
    for sharp in ("c# minor", "D# major", "f# minor", "G# major", "A# minor", "e minor", "Bb major"):
        key = giantsteps_tables.spelt(f"{sharp}\n")
        assert mir_eval_key.split_key_string(key) == mir_eval_key.split_key_string(sharp)
    assert [giantsteps_tables.spelt(odd) for odd in ("-", "", "H minor", "C", "C dorian")] == [None] * 5


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("giantsteps-key-dataset/annotations/key/200.LOFI.key", "X\n", "'X' is no key"),
        (f"{TABLES}/annotations.txt", "ID\tC\n1\t2\n", "has no column 'MANUAL KEY'"),
        (f"{TABLES}/annotations.txt", "ID\tMANUAL KEY\tC\n1\tH\t2\n", "'H' of 1 is no key"),
        (f"{TABLES}/beatport_metadata.txt", "ID\tARTIST\n7\tx\n", "has no artist of 10"),
    ],
)  # fmt: skip
def test_malformed_annotations_are_one_line(tmp_path, capsys, path, text, message):
    root = make_giantsteps(tmp_path / "gs")
    (root / path).write_text(text)
    assert run(root) == 1
    assert f"{root / path}: {message}" in error_line(capsys)


def test_without_one_of_the_repositories(tmp_path, capsys):
    root = make_giantsteps(tmp_path / "gs")
    (root / "giantsteps-mtg-key-dataset-copy" / "annotations").mkdir(parents=True)
    assert run(root) == 1
    assert (
        "needs one folder giantsteps-mtg-key-dataset with annotations in it; there is 2 of them"
        in error_line(capsys)
    )
    assert run(tmp_path) == 1
    assert "there is none" in error_line(capsys)
