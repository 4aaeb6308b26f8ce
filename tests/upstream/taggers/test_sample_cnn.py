"""SampleCNN: its count, its windows, and the layers of an independent reading."""

import pytest
import torch
import torch.nn.functional as F
from s3prl.upstream.taggers.sample_cnn import SampleCNN
from tagger_checks import parameter_count, trained_looking


def test_parameter_count():
    # 3-tap convolutions and batch norms: 1 -> 128, 128 -> 128 twice, 128 -> 256, 256 -> 256 five times, ...
    channels = [1, 128, 128, 128, 256, 256, 256, 256, 256, 256, 512, 512]
    expected = sum(3 * a * b + b + 2 * b for a, b in zip(channels, channels[1:], strict=False))
    assert parameter_count(SampleCNN()) == expected == 2_368_512
    assert expected + 512 * 50 + 50 == 2_394_162  # with the output layer of the paper's Table 2


@pytest.mark.parametrize(("samples", "frames"), [(1, 1), (59_049, 1), (59_050, 2), (120_000, 3)])
def test_a_frame_for_every_window_that_has_begun(samples, frames):
    with torch.no_grad():
        assert SampleCNN().eval()(torch.randn(2, samples)).shape == (2, frames, 512)


def test_equals_plain_torch_functions():
    network = trained_looking(SampleCNN()).double()
    wavs = torch.randn(1, 70_000, dtype=torch.float64)
    x = F.pad(wavs, (0, 2 * 59_049 - 70_000)).view(2, 1, 59_049)
    convolutions = [layer for layer in network.layers if isinstance(layer, torch.nn.Conv1d)]
    norms = [layer for layer in network.layers if isinstance(layer, torch.nn.BatchNorm1d)]
    assert len(convolutions) == len(norms) == 11
    for number, (conv, norm) in enumerate(zip(convolutions, norms, strict=True)):
        first, last = number == 0, number == 10
        x = F.conv1d(x, conv.weight, conv.bias, stride=3 if first else 1, padding=0 if first else 1)
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        x = ((x - norm.running_mean[:, None]) * scale[:, None] + norm.bias[:, None]).clamp(min=0)
        if not (first or last):
            x = x.unfold(2, 3, 3).amax(dim=3)
    assert x.shape == (2, 512, 1)
    with torch.no_grad():
        torch.testing.assert_close(network(wavs)[0], x[:, :, 0], rtol=1e-9, atol=1e-12)


def test_a_batch_of_one_window_trains_by_the_running_statistics():
    network = SampleCNN().train()
    assert torch.isfinite(network(torch.randn(1, 59_049))).all()  # its last layer has one value a channel


def test_dropout_is_for_training_alone():
    network, wavs = SampleCNN(dropout=0.5), torch.randn(2, 59_049)
    with torch.no_grad():
        assert (network.train()(wavs) == 0).float().mean() > 0.4
        network.eval()
        assert torch.equal(network(wavs), network(wavs))
