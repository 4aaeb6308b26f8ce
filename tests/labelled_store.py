"""Stores of made-up audio."""

import soundfile

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.prepare.__main__ import main as prepare


def make_store(folder, tracks, *options):
    """A store of {name: (labels, split, wav)}; the files' names end in .wav, these do not."""
    source = folder / "SRC"
    source.mkdir(parents=True)
    lines = []
    for name, (labels, split, wav) in tracks.items():
        soundfile.write(source / f"{name}.wav", wav, SAMPLE_RATE)
        lines.append(f"{name}.wav\t{'|'.join(labels)}\t{split}\n")
    (folder / "labels.tsv").write_text("".join(lines))
    command = ["folder", source, folder / "STORE", "--labels", folder / "labels.tsv", "--jobs", 1, *options]
    assert prepare([str(word) for word in command]) == 0
    return folder / "STORE"
