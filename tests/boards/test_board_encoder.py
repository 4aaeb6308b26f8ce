"""Our models as models of mteb, on tasks in memory."""

import numpy as np
import pytest
import soxr
from cover_store import polyphony

pytest.importorskip("mteb")

import mteb
from mteb.models.models_protocols import EncoderProtocol, SearchProtocol
from s3prl.downstream.cover_song.metric import ndcg_without_first
from s3prl.downstream.cover_song.ranking.cosine import unit_rows
from tiny_tasks import TinyCovers, TinyTimbres, TinyWords, covers

from s3prl_pemr.boards.encoder import CoverEncoder, UpstreamEncoder
from s3prl_pemr.boards.sound import samples_of
from s3prl_pemr.covers.model import open_model
from s3prl_pemr.covers.track import heard
from s3prl_pemr.embedding.embedder import Embedder, Wanted


def main_score(encoder, task):
    found = mteb.evaluate(encoder, task, cache=None, co2_tracker=False, encode_kwargs={"batch_size": 3})
    return found.task_results[0].get_score()


@pytest.mark.parametrize("build", [lambda: UpstreamEncoder("fbank_no_cmvn", device="cpu"), CoverEncoder])
def test_a_retrieval_of_covers_has_our_metric(build):
    encoder = build()
    assert isinstance(encoder, EncoderProtocol) and not isinstance(encoder, SearchProtocol)
    vectors = encoder.vectors(list(covers().values()))
    unit = unit_rows(vectors)
    expected = ndcg_without_first(unit @ unit.T, [name[0] for name in covers()])
    assert main_score(encoder, TinyCovers()) == pytest.approx(expected, abs=1e-5)


def test_a_classification_by_cross_validation():
    assert main_score(UpstreamEncoder("fbank_no_cmvn", device="cpu", pool="mean_std"), TinyTimbres()) > 0.9


def test_the_vectors_are_those_of_embed_in_their_order():
    wavs = [polyphony(seconds, 16_000, seed) for seed, seconds in enumerate((3, 1, 2))]
    encoder = UpstreamEncoder("pemr", pool="mean_std", layer=0, device="cpu")
    embedder = Embedder(Wanted("pemr", None, 0, "mean_std"), "cpu")
    expected = np.stack([embedder.embed([wav])[0].clip for wav in wavs])
    np.testing.assert_allclose(encoder.vectors(wavs), expected, rtol=1e-4, atol=1e-5)
    meta = encoder.mteb_model_meta
    assert (meta.name, meta.embed_dim, meta.modalities) == ("s3prl-pemr/pemr", expected.shape[1], ["audio"])
    assert meta.experiment_kwargs == {"layer": 0, "pool": "mean_std"}
    assert encoder.parameters > 100_000
    other = UpstreamEncoder("pemr", device="cpu").mteb_model_meta
    assert other.revision != meta.revision


def test_the_vectors_of_covers_are_those_of_an_index():
    encoder, model = CoverEncoder("ftm2d", device="cpu"), open_model("ftm2d", "cpu")
    wavs = [polyphony(6, 16_000, seed) for seed in range(2)]
    found = encoder.vectors([*wavs, np.zeros(16_000, np.float32)])
    expected = [model.know(heard(wav), "a").embedding for wav in wavs]
    np.testing.assert_array_equal(found[:2], expected)
    assert not found[2].any()  # silent
    assert encoder.mteb_model_meta.name == "s3prl-pemr/covers-ftm2d"


def test_sounds_are_resampled_and_mixed():
    stereo = np.stack([polyphony(1, 44_100), np.zeros(44_100, np.float32)])
    found = samples_of({"array": stereo.tolist(), "sampling_rate": 44_100})
    np.testing.assert_allclose(found, soxr.resample(stereo.mean(axis=0), 44_100, 16_000), atol=1e-6)
    assert found.dtype == np.float32 and len(found) == 16_000
    for array in ([], [0.0, np.nan]):
        with pytest.raises(ValueError, match="no samples, or some that are NaN"):
            samples_of({"array": array, "sampling_rate": 16_000})


def test_what_is_not_of_sound_alone_is_refused():
    with pytest.raises(ValueError, match=r"^TinyWords: is of text, audio; our models hear sound alone$"):
        UpstreamEncoder("fbank_no_cmvn", device="cpu").encode(
            [], task_metadata=TinyWords.metadata, hf_split="test", hf_subset="default"
        )
    with pytest.raises(ValueError, match="-u none_such: unknown upstream"):
        UpstreamEncoder("none_such")
    with pytest.raises(ValueError, match="pool by mean or mean_std"):
        UpstreamEncoder(pool="none")
