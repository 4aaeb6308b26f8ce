"""What a GPU makes of a frozen upstream: a batch's clips heard together, in bfloat16."""

import pytest
import torch
from counting_upstream import Counting
from s3prl import hub

from s3prl_pemr.features.cache import FeatureFiles
from s3prl_pemr.features.cached_upstream import CachedUpstream, mean_of_own_frames
from s3prl_pemr.features.half_precision import HalfPrecision

RATE = 16_384


@pytest.mark.parametrize("pool", [None, mean_of_own_frames(RATE)])
def test_clips_heard_together_are_those_heard_alone(tmp_path, wavs, pool):
    upstream = hub.pemr_random().eval()
    together, alone = (
        CachedUpstream(upstream, FeatureFiles(tmp_path / name, {}, 1.0), "hidden_states", pool, samples)
        for name, samples in (("together", RATE), ("alone", 0))
    )
    with torch.no_grad():
        found, expected = together(wavs)["hidden_states"], alone(wavs)["hidden_states"]
        kept = [together([wav])["hidden_states"] for wav in wavs]
        single = [alone([wav])["hidden_states"] for wav in wavs]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    for one, other in zip(kept, single, strict=True):  # and none has kept the padding of its batch
        assert one.shape == other.shape
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_only_what_is_not_there_is_heard(tmp_path, wavs):
    upstream = Counting()
    model = CachedUpstream(upstream, FeatureFiles(tmp_path, {}, 1.0), "hidden_states", None, 1_000)
    model([wavs[1], wavs[3]])
    model(wavs)
    assert upstream.clips == 4
    assert (model.hits, model.misses) == (2, 4)


def test_half_precision_gives_float32_that_is_near(wavs):
    upstream = hub.pemr_random().eval()
    with torch.no_grad():
        expected, found = (model(wavs)["last_hidden_state"] for model in (upstream, HalfPrecision(upstream)))
    assert found.dtype == torch.float32
    assert not torch.equal(found, expected)
    assert torch.nn.functional.cosine_similarity(found, expected, dim=-1)[3].min() > 0.999


def test_a_run_in_half_precision_has_features_of_its_own(run_downstream, tmp_path):
    flags = ("-m", "train", "-u", "pemr_random", "-d", "counting", "--feature_cache", tmp_path / "cache")
    run_downstream(*flags, "-p", tmp_path / "fp32")
    run_downstream(*flags, "-p", tmp_path / "bf16", "--features_precision", "bf16")
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_trained_upstream_is_refused(run_downstream, tmp_path):
    flags = ("-m", "train", "-u", "pemr_random", "-f", "-d", "counting", "--features_precision=bf16")
    with pytest.raises(SystemExit, match="frozen upstream"):
        run_downstream(*flags, "-p", tmp_path / "run")
