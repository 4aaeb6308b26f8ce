"""A cache of an upstream of many layers keeps the layer that -l asks for, and no other."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from s3prl import hub
from s3prl.upstream.interfaces import Featurizer
from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

from s3prl_pemr.features.attach import CacheArguments, cached_upstream

LAYERS = 4  # with what goes into the first


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A HuBERT of three small layers."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("hubert")
    config = HubertConfig(
        hidden_size=16, num_hidden_layers=LAYERS - 1, num_attention_heads=2, intermediate_size=24,
        conv_dim=(8,) * 7, num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    HubertModel(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return str(folder)


def cached(cache, folder, layer):
    upstream = hub.hf_hubert_custom(folder).eval()
    featurizer = Featurizer(upstream, layer_selection=layer, upstream_device="cpu")
    args = SimpleNamespace(
        upstream="hf_hubert_custom", upstream_ckpt=folder, upstream_model_config=None,
        upstream_trainable=False, upstream_feature_normalize=False, device="cpu",
    )  # fmt: skip
    model = cached_upstream(args, {}, upstream, featurizer, torch.nn.Module(), CacheArguments(str(cache)))
    return upstream, model, featurizer


def heard(model, featurizer, wavs):
    with torch.no_grad():
        return featurizer(wavs, model(wavs))


def sizes(model):
    """Arrays in each file of a cache's folder, and values in all."""
    files = [np.load(path) for path in sorted(model.files.folder.rglob("*.npz"))]
    return {len(file.files) for file in files}, sum(file[name].size for file in files for name in file.files)


def test_only_the_layer_is_kept_and_it_is_the_same(tmp_path, folder):
    wavs = [torch.randn(8_000), torch.randn(8_000)]
    _, whole, weighted = cached(tmp_path / "all", folder, None)
    heard(whole, weighted, wavs)
    assert sizes(whole)[0] == {LAYERS}
    for layer in (2, -1):
        upstream, model, featurizer = cached(tmp_path / f"layer{layer}", folder, layer)
        expected = heard(upstream, featurizer, wavs)
        first, again = heard(model, featurizer, wavs), heard(model, featurizer, wavs)
        assert (model.misses, model.hits) == (2, 2)
        for computed, kept, one in zip(first, again, expected, strict=True):
            torch.testing.assert_close(computed, one, rtol=1e-4, atol=1e-5)
            assert torch.equal(computed, kept)
        assert sizes(model) == ({1}, sizes(whole)[1] // LAYERS)
        assert model.files.bytes * LAYERS == whole.files.bytes


def test_layers_lie_apart_and_a_cache_of_all_serves_each(tmp_path, folder):
    folders = {cached(tmp_path, folder, layer)[1].files.folder for layer in (0, 1)}
    assert len(folders) == 2
    wavs = [torch.randn(8_000)]
    _, whole, weighted = cached(tmp_path, folder, None)
    heard(whole, weighted, wavs)
    upstream, model, featurizer = cached(tmp_path, folder, 1)
    assert model.files.folder == whole.files.folder
    torch.testing.assert_close(
        heard(model, featurizer, wavs), heard(upstream, featurizer, wavs), rtol=1e-4, atol=1e-5
    )
    assert (model.hits, model.misses) == (1, 0)
