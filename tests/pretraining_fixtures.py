"""A small store of made-up music, and configs that make a run of a second or two."""

import copy

import numpy as np
import pytest
import soundfile
from pretraining_runs import runner_config

from s3prl_pemr.prepare.__main__ import main as prepare

SAMPLE_RATE = 16_000
TRACKS = 14


def melody(rng, seconds):
    """Decaying notes over a little noise."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    notes = sum(np.sin(2 * np.pi * f * time) for f in rng.choice([220, 262, 330, 392, 440, 523], 3))
    return (0.1 * notes * np.exp(-4 * (time % 0.4)) + 0.003 * rng.standard_normal(len(time))).astype(
        "float32"
    )


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """14 tracks of 1-2 s in two folders, which are their labels."""
    root = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    for track in range(TRACKS):
        folder = root / "audio" / f"style{track % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{track:02d}.wav", melody(rng, rng.uniform(1, 2)), SAMPLE_RATE)
    assert (
        prepare(["folder", str(root / "audio"), str(root / "store"), "--label-by-folder", "--jobs", "1"]) == 0
    )
    return str(root / "store")


MODEL = {
    "method": "pemr",
    "model": {
        "frontend": {"n_mels": 32},
        "transformer": {"layers": 2, "heads": 2},
        "encoder_channels": [4, 4, 8, 8],
        "projection_hidden": 16,
        "projection_dim": 12,
    },
}


@pytest.fixture
def model_settings():
    """A narrow PEMR."""
    return copy.deepcopy(MODEL)


@pytest.fixture
def config(store):
    """3 epochs of 3 batches of 4."""
    return runner_config(store)
