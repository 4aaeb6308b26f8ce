"""What the tasks and pretraining print of tracks, tags and works is nothing that a terminal obeys."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from s3prl.downstream.cover_song.splits import Split
from s3prl.downstream.cover_song.splits import Splits as CoverSplits
from s3prl.downstream.music_tagging.expert import DownstreamExpert
from s3prl.downstream.music_tagging.labels.splits import Splits
from s3prl.downstream.music_tagging.scoring.report import top_lines
from s3prl.pretrain.crops.dataset import CropPairs, DataConfig

EVIL, SHOWN = "\x1b[2J\x07\r\u202e\x9b", r"\x1b[2J\x07\r\u202e\x9b"


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.INFO)
    yield lambda: [record.getMessage() for record in caplog.records]
    assert not any(set(EVIL) - set("[2J") & set(record.getMessage()) for record in caplog.records)


def test_tagging_inference(capsys):
    expert = SimpleNamespace(
        task=SimpleNamespace(scores=torch.sigmoid, probabilistic=True, lines=top_lines),
        feature_pooling="mean",
        head=torch.nn.Linear(4, 2),
        names=[EVIL, "rock"],
        config=SimpleNamespace(top_tags=2),
        training_labels={"trained_on": EVIL, "training_clips": 3},
        temperature=None,
        _told=False,
    )
    with torch.no_grad():
        DownstreamExpert.inference(expert, [torch.zeros(3, 4)], [f"{EVIL}.wav"])
    printed = capsys.readouterr()
    assert f"3 clips of {SHOWN}" in printed.err
    lines = printed.out.split("\n")
    assert lines[0] == f"{SHOWN}.wav" and any(line.endswith(f"  {SHOWN}") for line in lines[1:])


def test_tags_that_cannot_be_learned(logged):
    unseen = {"training_clips": 1, "training_clips_of": 1, "tags_without_positives": [EVIL]}
    splits = SimpleNamespace(training_labels=lambda: unseen, config=SimpleNamespace(label_fraction=1))
    Splits._tell_training(splits, "store")
    assert logged() == [f"store: no clip has {SHOWN}; it cannot be learned"]


def test_odd_tracks_and_works(logged):
    store = SimpleNamespace(tracks=[EVIL, "b"], length_samples=np.array([9, 90_000]), notes=["", ""])
    split = Split("store", store, np.array([0, 1]), [EVIL, "work"])
    CoverSplits.check_training({"train": split})
    assert logged() == [
        f"store: 2 of 2 works have one version, nothing to learn their covers from; the first: {SHOWN}",
        f"store: 1 tracks are shorter than 2 s and say little, the first: {SHOWN}",
    ]


def test_short_tracks_in_pretraining(logged):
    class Store(SimpleNamespace):
        def __len__(self):
            return 2

        def select(self, split):
            return np.array([0, 1])

    store = Store(
        sample_rate=16_000, tracks=[EVIL, "b"], splits=["", ""], length_samples=np.array([9, 50_000])
    )
    CropPairs(store, DataConfig(store="S", train_batch_size=2), None, None, 16_000, 256)
    (line,) = [line for line in logged() if "shorter than a crop" in line]
    assert line.endswith(f"end in silence: {SHOWN}")
