"""`prepare nsynth` on a few notes in NSynth's layout."""

import json

import pytest
from marble_layouts import make_nsynth
from prepare_fixtures import error_line

from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.dataset_name import read_dataset_name
from s3prl_pemr.store.groups import read_groups
from s3prl_pemr.store.tag_list import read_tags


def run(root, *options):
    return main(["nsynth", str(root), str(root.parent / "STORE"), "--jobs", "1", *options])


def test_instruments(tmp_path, capsys):
    assert run(make_nsynth(tmp_path / "nsynth")) == 0
    store = AudioStore(tmp_path / "STORE")
    assert store.tracks[0] == "bass_a_000-040-100"
    assert store.splits == ["train"] * 4 + ["valid"] * 2 + ["test"] * 4
    assert store.labels == [
        [family] for family in ("bass", "flute", "bass", "bass", "flute") for _ in range(2)
    ]
    assert len(read_tags(store.path)) == 11
    assert read_groups(store.path)["flute_d_003-064-100"].song == "flute_d_003"
    assert str(read_dataset_name(store.path)) == "nsynth, split instrument"
    assert "of the published ones: {'train': 289205, 'valid': 12678, 'test': 4096}" in capsys.readouterr().out


def test_pitches(tmp_path):
    assert run(make_nsynth(tmp_path / "nsynth"), "--task", "pitch") == 0
    store = AudioStore(tmp_path / "STORE")
    assert store.labels == [["40"], ["64"]] * 5
    assert read_tags(store.path) == [str(pitch) for pitch in range(128)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda examples: {}, "should be the notes by their names"),
        (
            lambda examples: {note: {} for note in examples},
            "has no instrument_family_str or no instrument_str",
        ),
        (
            lambda examples: {n: {**e, "instrument_family_str": "kazoo"} for n, e in examples.items()},
            "bass_c_002-040-100: instrument_family_str 'kazoo' is no instrument of NSynth",
        ),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_wrong_examples_are_one_line(tmp_path, capsys, change, message):
    root = make_nsynth(tmp_path / "nsynth")
    path = root / "nsynth-valid" / "examples.json"
    if change:
        path.write_text(json.dumps(change(json.loads(path.read_text()))))
    else:
        path.unlink()
    assert run(root) == 1
    line = error_line(capsys)
    assert str(path) in line and message in line
