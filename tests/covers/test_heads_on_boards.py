"""A trained head as a model of mteb: its vectors are those of its index."""

import numpy as np
import pytest

pytest.importorskip("mteb")

from s3prl_pemr.audio import read_audio
from s3prl_pemr.boards.encoder import CoverEncoder
from s3prl_pemr.covers.index import read_index
from s3prl_pemr.report.parameters import parameters_of


def test_a_trained_head(checkpoint, index, collection):
    encoder, known = CoverEncoder(str(checkpoint), device="cpu"), read_index(index)
    wavs = [read_audio(collection / "SRC" / track) for track in known.tracks]
    np.testing.assert_allclose(encoder.vectors(wavs), known.embeddings, atol=1e-5)
    assert encoder.mteb_model_meta.name == "s3prl-pemr/covers-dev-best"
    expert = encoder.model.expert
    upstream = parameters_of(encoder.model.runner.upstream.model) if expert.uses_upstream else 0
    assert encoder.parameters == expert.head.parameters_without_classifier + upstream > 1_000
