"""A small data set in MagnaTagATune's layout, shared by the tests of `prepare mtat`."""

import csv

import numpy as np
import pytest
import soundfile

from s3prl_pemr.prepare.__main__ import main

CLIPS = {  # track: its tags
    "0/a-b-01-x.mp3": ("soft", "guitar"),
    'b/it\'s "live" - é.mp3': (),
    "c/c.mp3": ("guitar",),
    "d/d.mp3": ("no vocals",),
    "f/f.mp3": ("guitar", "no vocals"),
}
COLUMNS = ("soft", "no vocals", "guitar")


def write_table(root, clips, columns=COLUMNS, ids=None):
    """annotations_final.csv as the real one is written: tabs, every cell quoted."""
    root.mkdir(exist_ok=True)
    with (root / "annotations_final.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\n")
        table.writerow(["clip_id", *columns, "mp3_path"])
        for number, (track, tags) in enumerate(clips):
            marks = [int(column in tags) for column in columns]
            table.writerow([ids[number] if ids else number + 2, *marks, track])
    return root


def run(root, *options):
    return main(["mtat", str(root), str(root.parent / "STORE"), "--jobs", "1", *options])


@pytest.fixture
def root(tmp_path):
    root = write_table(tmp_path / "mtat", CLIPS.items())
    for number, track in enumerate(CLIPS):
        (root / track).parent.mkdir()
        wav = 0.1 * np.random.default_rng(number).standard_normal(16_000)
        soundfile.write(root / track, wav, 16_000, format="MP3")
    return root
