"""One or two frames in the cache stand for all of a clip's."""

import pytest
import torch
from counting_upstream import Counting, arguments, cached
from s3prl.upstream.interfaces import Featurizer
from test_time_pooling import clips

from s3prl_pemr.features import attach
from s3prl_pemr.features.attach import CacheArguments, cached_upstream, is_worth_it
from s3prl_pemr.features.kept_frames import KEPT
from s3prl_pemr.features.time_pooling import POOLINGS, time_mean, time_mean_std

WAVS = [torch.randn(n, generator=torch.Generator().manual_seed(n)) for n in (40_000, 1_000, 16_384)]


class OneLayer(Counting):
    """Its first layer alone."""

    def forward(self, wavs):
        return {"hidden_states": super().forward(wavs)["hidden_states"][:1]}


def task_of(pooling):
    task = torch.nn.Module()
    task.feature_pooling, task.same_clips_each_epoch = pooling, True
    return task


def test_what_can_be_pooled_can_be_kept():
    assert KEPT.keys() == POOLINGS.keys()


@pytest.mark.parametrize("pooling", POOLINGS)
def test_few_frames_stand_for_all(pooling):
    few = [KEPT[pooling](10)(frames, 10 * len(frames)) for frames in clips()]
    assert {len(frames) for frames in few} == {1 if pooling == "mean" else 2}
    torch.testing.assert_close(POOLINGS[pooling](few), POOLINGS[pooling](clips()), rtol=1e-9, atol=1e-8)


def test_own_frames_by_hand():
    frames = torch.tensor([[1.0], [3.0], [100.0]])
    for pooling, expected in (("mean", [[2.0]]), ("mean_std", [[3.0], [1.0]])):
        pool = KEPT[pooling](10)
        assert pool(frames, 22).tolist() == expected  # round(2.2) = 2 frames
        assert pool(frames, 3).unique().tolist() == [1.0]  # one at least


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("scale", [1e-4, 3e4])  # squares beyond what float16 has, on either side
def test_half_precision_is_kept_as_it_is_pooled(dtype, scale):
    frames = [((clip - 100) * scale / 3).to(dtype) for clip in clips()]
    few = [KEPT["mean_std"](10)(one, 10 * len(one)) for one in frames]
    exact = time_mean_std([one.double() for one in frames])
    torch.testing.assert_close(time_mean_std(few).double(), exact, rtol=1e-4, atol=2e-6 * scale + 5e-7)


def test_mean_and_deviation_are_those_of_what_the_featurizer_gives(tmp_path):
    upstream = OneLayer()
    expected = time_mean_std(Featurizer(upstream, upstream_device="cpu")(WAVS, upstream(WAVS)))
    model, featurizer = cached(tmp_path, upstream, task_of("mean_std"))
    for _ in range(2):
        pooled = featurizer(WAVS, model(WAVS))
        assert [len(frames) for frames in pooled] == [2] * 3
        torch.testing.assert_close(time_mean_std(pooled), expected, rtol=1e-4, atol=1e-6)


def test_a_selected_layer_is_kept_as_mean_and_deviation(tmp_path):
    upstream = Counting()
    plain, featurizer = (Featurizer(upstream, layer_selection=1, upstream_device="cpu") for _ in range(2))
    cache = CacheArguments(str(tmp_path), by_default=True)
    task, args = task_of("mean_std"), arguments(mode="train")
    assert is_worth_it(args, {}, featurizer, task, cache)
    model = cached_upstream(args, {}, upstream, featurizer, task, cache)
    for _ in range(2):
        pooled = featurizer(WAVS, model(WAVS))
        assert [frames.shape for frames in pooled] == [(2, 8)] * 3
        torch.testing.assert_close(
            time_mean_std(pooled), time_mean_std(plain(WAVS, upstream(WAVS))), rtol=1e-4, atol=1e-6
        )


def test_the_deviation_of_a_sum_of_layers_needs_all_frames(tmp_path):
    task = task_of("mean_std")
    model, featurizer = cached(tmp_path, Counting(), task)
    assert model.pool is None
    upstream = Counting()
    plain = Featurizer(upstream, upstream_device="cpu")
    plain.load_state_dict(featurizer.state_dict())
    found = time_mean_std(featurizer(WAVS, model(WAVS)))
    torch.testing.assert_close(found, time_mean_std(plain(WAVS, upstream(WAVS))), rtol=1e-4, atol=1e-6)
    by_default = CacheArguments(str(tmp_path), by_default=True)
    args = arguments(mode="train")
    assert not is_worth_it(args, {}, plain, task, by_default)
    assert is_worth_it(args, {}, plain, task_of("mean"), by_default)


def test_no_pooling_reads_what_another_kept(tmp_path):
    means = {}
    for pooling in ("mean", "mean_std", None, "mean", "mean_std"):
        model, featurizer = cached(tmp_path, OneLayer(), task_of(pooling))
        frames = featurizer(WAVS, model(WAVS))
        assert (model.hits, model.misses) == ((3, 0) if pooling in means else (0, 3))
        means[pooling] = time_mean(frames)
        torch.testing.assert_close(means[pooling], means["mean"], rtol=1e-4, atol=1e-6)
    assert len(list(tmp_path.iterdir())) == 3


def test_the_means_identity_is_what_it_was_before_there_were_deviations(tmp_path, monkeypatch):
    counted = {}
    monkeypatch.setattr(attach, "code_version", lambda model, also: str(counted.setdefault(pooling, also)))
    for pooling in ("mean", None, "mean_std"):
        cached(tmp_path, OneLayer(), task_of(pooling))
    assert counted["mean"] == counted[None] == {"s3prl_pemr.features.cached_upstream"}
    assert counted["mean_std"] == counted["mean"] | {"s3prl_pemr.features.kept_frames"}
