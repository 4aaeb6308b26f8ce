"""The log-mel taggers against readings of their sources in plain torch functions, and librosa."""

import librosa
import numpy as np
import torch
import torch.nn.functional as F
from s3prl.upstream.taggers.cnn_1d import CNN1D
from s3prl.upstream.taggers.musicnn import Musicnn
from s3prl.upstream.taggers.timbre_cnn import TimbreCNN
from tagger_checks import trained_looking


def norm(x, layer):
    shape = (1, -1, *[1] * (x.dim() - 2))
    scale = layer.weight / (layer.running_var + layer.eps).sqrt()
    return (x - layer.running_mean.view(shape)) * scale.view(shape) + layer.bias.view(shape)


def convolve(x, layer):
    """Every window of the last one or two axes times every filter: (1, C, ...) -> (1, C', ...)."""
    sizes = layer.weight.shape[2:]
    for axis, size in enumerate(sizes, start=2):
        x = x.unfold(axis, size, 1)
    if len(sizes) == 1:
        return torch.einsum("nctk,dck->ndt", x, layer.weight) + layer.bias[:, None]
    return torch.einsum("ncftij,dcij->ndft", x, layer.weight) + layer.bias[:, None, None]


def spectral_filters(x, module, before, behind):
    """Convolution, ReLU, batch norm, maximum over frequency, in this order."""
    y = convolve(F.pad(x, (before, behind)), module.conv).clamp(min=0)
    return norm(y, module.norm).amax(dim=2)


def maximum_of_four(x):
    return x.unfold(2, 4, 4).amax(dim=3)


def double(network):
    torch.manual_seed(0)
    return trained_looking(network).double()


def test_log_mel_is_librosas():
    wav = 0.1 * np.random.default_rng(0).standard_normal(187 * 256).astype(np.float32)
    power = librosa.feature.melspectrogram(
        y=wav, sr=16_000, n_fft=512, hop_length=256, n_mels=96, pad_mode="constant"
    )
    expected = np.log10(10_000 * power + 1)[:, :187]
    log_mel = Musicnn().log_mel(torch.from_numpy(wav)[None])[0, 0]
    assert log_mel.shape == (96, 187)
    np.testing.assert_allclose(log_mel.numpy(), expected, rtol=1e-4)


def test_every_mel_filter_holds_a_bin():
    for network in (Musicnn(), CNN1D()):
        assert (network.mel.mel_scale.fb.sum(dim=0) > 0).all()


def test_musicnn_equals_its_source():
    network = double(Musicnn())
    x = torch.randn(1, 1, 96, 187, dtype=torch.float64)
    with torch.no_grad():
        sizes = [module.conv.weight.shape for module in network.filters]
        assert [tuple(size) for size in sizes] == [
            (204, 1, 38, 7), (204, 1, 67, 7), (51, 1, 1, 128), (51, 1, 1, 64), (51, 1, 1, 32)
        ]  # fmt: skip
        paddings = [(3, 3), (3, 3), (63, 64), (31, 32), (15, 16)]
        first = torch.cat(
            [spectral_filters(x, m, *pad) for m, pad in zip(network.filters, paddings, strict=True)], dim=1
        )
        one, two, three = network.middle
        layer = lambda y, m: norm(convolve(F.pad(y, (3, 3)), m.conv).clamp(min=0), m.norm)  # noqa: E731
        second = layer(first, one)
        third = layer(second, two) + second
        fourth = layer(third, three) + third
        dense = torch.cat([first, second, third, fourth], dim=1)
        assert dense.shape == (1, 753, 187)
        pooled = torch.cat([dense.max(dim=2).values, dense.sum(dim=2) / 187], dim=1)
        norm_pooled, _, linear, _, norm_last, _ = network.back
        expected = norm((norm(pooled, norm_pooled) @ linear.weight.T + linear.bias).clamp(min=0), norm_last)
        torch.testing.assert_close(network.embed_log_mel(x), expected, rtol=1e-9, atol=1e-11)


def test_timbre_cnn_equals_its_source():
    network = double(TimbreCNN())
    x = torch.randn(1, 1, 96, 187, dtype=torch.float64)
    with torch.no_grad():
        sizes = [tuple(module.conv.weight.shape) for module in network.filters]
        assert sizes == [
            (3, 1, 76, 7), (3, 1, 76, 5), (6, 1, 76, 3), (10, 1, 76, 1),
            (5, 1, 57, 7), (5, 1, 57, 5), (10, 1, 57, 3), (15, 1, 57, 1),
            (5, 1, 19, 7), (5, 1, 19, 5), (10, 1, 19, 3), (15, 1, 19, 1),
        ]  # fmt: skip
        maps = [
            spectral_filters(x, m, size[3] // 2, size[3] // 2)
            for m, size in zip(network.filters, sizes, strict=True)
        ]
        conv, linear = network.back[0], network.back[4]
        y = maximum_of_four(convolve(torch.cat(maps, dim=1), conv).clamp(min=0))
        assert y.shape == (1, 32, 45)
        expected = (y.reshape(1, -1) @ linear.weight.T + linear.bias).clamp(min=0)
        torch.testing.assert_close(network.embed_log_mel(x), expected, rtol=1e-9, atol=1e-11)


def test_cnn_1d_equals_its_source():
    network = double(CNN1D())
    x = torch.randn(1, 1, 128, 1720, dtype=torch.float64)
    with torch.no_grad():
        one, two, linear = network.layers[0], network.layers[3], network.layers[7]
        y = maximum_of_four(convolve(x[:, 0], one).clamp(min=0))
        assert y.shape == (1, 32, 428)
        y = maximum_of_four(convolve(y, two).clamp(min=0))
        assert y.shape == (1, 32, 105)
        expected = (y.reshape(1, -1) @ linear.weight.T + linear.bias).clamp(min=0)
        torch.testing.assert_close(network.embed_log_mel(x), expected, rtol=1e-9, atol=1e-11)


def test_log_mel_patches_of_a_clip_follow_each_other():
    network = trained_looking(TimbreCNN())
    wav = 0.1 * torch.randn(1, 2 * 47_872)
    with torch.no_grad():
        frames = network(wav)
        log_mel = network.log_mel(wav[:, 47_872:])
        second = network.embed_log_mel(network.input_norm(log_mel))
        torch.testing.assert_close(frames[:, 1], second, rtol=1e-4, atol=1e-5)
