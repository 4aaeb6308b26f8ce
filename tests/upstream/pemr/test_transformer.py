"""Eq. 1 to Eq. 3 and the frame transformer against a reference in float64."""

import math

import numpy as np
import pytest
import torch
from s3prl.upstream.pemr.transformer import (
    FeedForward,
    FrameTransformer,
    MultiHeadAttention,
    attention,
    sinusoidal_positions,
)

WIDTH, LAYERS, HEADS = 16, 3, 3


@pytest.fixture(params=["sqrt_d", "1"])
def transformer(request):
    torch.manual_seed(0)
    model = FrameTransformer(WIDTH, LAYERS, HEADS, request.param).double()
    model.reference_scale = {"sqrt_d": 4.0, "1": 1.0}[request.param]  # sqrt(16)
    for parameter in model.parameters():  # LayerNorm's and the biases' too
        torch.nn.init.normal_(parameter, std=0.4)
    return model


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def layer_norm(x, norm):
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    return scaled * norm.weight.detach().numpy() + norm.bias.detach().numpy()


def reference(model, frames):
    """The transformer head by head, from the paper's equations; also each layer's input."""
    length = frames.shape[1] + 1
    x = np.concatenate([np.tile(model.cls.detach().numpy(), (len(frames), 1, 1)), frames], axis=1)
    x = x * model.reference_scale  # Vaswani et al., 3.4
    for position in range(length):
        for i in range(WIDTH):
            angle = position / 10_000 ** ((i - i % 2) / WIDTH)
            # the table itself is float32
            x[:, position, i] += np.float32(math.sin(angle) if i % 2 == 0 else math.cos(angle))
    inputs = []
    for layer in model.layers:
        inputs.append(x)
        projections = [p.weight.detach().numpy().T for p in (layer.attention.query, layer.attention.key,
                                                             layer.attention.value)]  # fmt: skip
        heads = []
        for h in range(HEADS):
            q, k, v = (x @ p[:, h * WIDTH : (h + 1) * WIDTH] for p in projections)
            heads.append(softmax(q @ k.transpose(0, 2, 1) / math.sqrt(WIDTH)) @ v)  # Eq. 1
        y = np.concatenate(heads, axis=-1) @ layer.attention.output.weight.detach().numpy().T  # Eq. 2
        y = layer_norm(x + y, layer.attention_norm)
        inner, outer = layer.feed_forward.inner, layer.feed_forward.outer
        hidden = np.maximum(y @ inner.weight.detach().numpy().T + inner.bias.detach().numpy(), 0)  # Eq. 3
        out = hidden @ outer.weight.detach().numpy().T + outer.bias.detach().numpy()
        x = layer_norm(y + out, layer.feed_forward_norm)
    return x, inputs


def test_attention_by_hand():
    # D = 1, query ln 3 on keys (0, 1): weights (1, 3) / 4, values (0, 8) -> 6
    query, key, value = (
        torch.tensor([[math.log(3)]]),
        torch.tensor([[0.0], [1.0]]),
        torch.tensor([[0.0], [8.0]]),
    )
    assert attention(query, key, value).item() == pytest.approx(6, abs=1e-5)


def test_fused_attention_equals_eq_1():
    torch.manual_seed(0)
    layer = MultiHeadAttention(WIDTH, HEADS).double()
    x = torch.randn(2, 9, WIDTH, dtype=torch.float64)
    q, k, v = (layer.split_heads(p(x)) for p in (layer.query, layer.key, layer.value))
    expected = layer.output(attention(q, k, v).transpose(1, 2).flatten(2))
    torch.testing.assert_close(layer(x), expected, rtol=1e-10, atol=1e-12)


def test_heads_are_as_wide_as_the_model():
    layer = MultiHeadAttention(128, 3)
    assert layer.query.weight.shape == layer.key.weight.shape == layer.value.weight.shape == (3 * 128, 128)
    assert layer.output.weight.shape == (128, 3 * 128)
    assert layer.query.bias is layer.output.bias is None


def test_feed_forward_by_hand():
    layer = FeedForward(2)
    with torch.no_grad():
        layer.inner.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
        layer.inner.bias.copy_(torch.tensor([1.0, 0.0]))
        layer.outer.weight.copy_(torch.tensor([[2.0, 0.0], [0.0, 1.0]]))
        layer.outer.bias.copy_(torch.tensor([0.0, 5.0]))
    # (3, 4) -> (4, -4) -> ReLU (4, 0) -> (8, 5)
    assert layer(torch.tensor([3.0, 4.0])).tolist() == [8.0, 5.0]


def test_positions_by_hand():
    table = sinusoidal_positions(3, 4)
    assert table[0].tolist() == [0, 1, 0, 1]
    # second pair turns 10,000^(2/4) = 100 times slower
    assert table[2].tolist() == pytest.approx(
        [math.sin(2), math.cos(2), math.sin(0.02), math.cos(0.02)], abs=1e-6
    )


def test_transformer_equals_the_reference(transformer):
    frames = torch.randn(2, 7, WIDTH, dtype=torch.float64)
    expected, _ = reference(transformer, frames.numpy())
    np.testing.assert_allclose(transformer(frames).detach().numpy(), expected, rtol=1e-6, atol=1e-8)


def test_mask_pass_equals_the_last_layer_of_the_reference(transformer):
    frames = torch.randn(2, 7, WIDTH, dtype=torch.float64)
    last_input = reference(transformer, frames.numpy())[1][-1]
    attend = transformer.layers[-1].attention
    query = (last_input @ attend.query.weight.detach().numpy().T).reshape(2, 8, HEADS, WIDTH)
    key = (last_input @ attend.key.weight.detach().numpy().T).reshape(2, 8, HEADS, WIDTH)
    cls_query, keys = transformer.cls_query_and_frame_keys(frames)
    np.testing.assert_allclose(cls_query.detach().numpy(), query[:, 0], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(keys.detach().numpy(), key[:, 1:].transpose(0, 2, 1, 3), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(
        transformer.cls_query(frames).detach().numpy(), query[:, 0], rtol=1e-6, atol=1e-8
    )
