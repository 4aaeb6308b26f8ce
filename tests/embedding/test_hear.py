"""HEAR's rules: attributes, shapes, types, times that rise; the others of a batch have no say."""

import pytest
import torch

from s3prl_pemr.embedding import hear


@pytest.mark.parametrize("name", ["", "fbank_no_cmvn"])
def test_shapes_types_and_times(name):
    model = hear.load_model(name)
    assert isinstance(model, torch.nn.Module)
    assert model.sample_rate == 16_000
    audio = torch.rand(2, 3 * 16_000, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found, times = hear.get_timestamp_embeddings(audio, model)
    assert found.dtype == times.dtype == torch.float32
    assert found.shape == (2, times.shape[1], model.timestamp_embedding_size)
    assert (times.diff(dim=1) > 0).all() and times.min() > 0 and times.max() <= 3_600
    scene = hear.get_scene_embeddings(audio, model)
    assert scene.shape == (2, model.scene_embedding_size)
    alone = hear.get_scene_embeddings(audio[1:], model)
    torch.testing.assert_close(alone, scene[1:], rtol=1e-4, atol=1e-5)


def test_a_checkpoint_or_an_upstream_of_ones_own(tmp_path):
    with pytest.raises(ValueError, match="-u nothing: unknown upstream"):
        hear.load_model("nothing")
    with pytest.raises(ValueError, match="-k gone.ckpt: no such file"):
        hear.load_model("pemr:gone.ckpt")
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    with pytest.raises(ValueError, match="text.ckpt"):  # taken for one of pemr
        hear.load_model(str(tmp_path / "text.ckpt"))
