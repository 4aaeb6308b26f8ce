"""Small stores, and the expert as the toolkit makes it."""

import numpy as np
import pytest
import torch
from tagging_store import SPLITS, TAGS, all_combinations, clip, make_store


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    generator = np.random.default_rng(0)
    return make_store(tmp_path_factory.mktemp("tagging"), dict(all_combinations(generator)))


@pytest.fixture(scope="session")
def genre_store(tmp_path_factory):
    """Twelve clips, one label each."""
    generator = np.random.default_rng(1)
    clips = {
        f"clip{number:02d}": ((TAGS[number % 3],), SPLITS[number // 3], clip(TAGS[number % 3], generator))
        for number in range(12)
    }
    return make_store(tmp_path_factory.mktemp("genre"), clips)


@pytest.fixture
def make_expert(tmp_path):
    """DownstreamExpert as the toolkit makes it, on 4-d features with a frame per 160 samples."""
    from s3prl.downstream.music_tagging.expert import DownstreamExpert

    def make(store, mode="train", upstream_rate=160, runner=None, datarc=None, **arguments):
        keys = ("task", "modelrc", "top_tags", "scoring", "bootstrap")
        config = {key: arguments.pop(key) for key in keys if key in arguments}
        torch.manual_seed(0)
        return DownstreamExpert(
            upstream_dim=4,
            upstream_rate=upstream_rate,
            downstream_expert={**config, "datarc": {"store": str(store), **(datarc or {})}},
            runner={"eval_dataloaders": ["dev"], **(runner or {})},
            expdir=str(tmp_path),
            mode=mode,
            **arguments,
        )

    return make
