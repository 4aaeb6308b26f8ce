"""The networks against their published sizes, shapes and invariances."""

import pytest
import torch
from s3prl.downstream.cover_song.model import HEADS, CoverHead, CQTNet, KiNet, TPPNet
from s3prl.downstream.cover_song.networks.kinet import chroma

NETWORKS = [(CQTNet, 5_080_428, 300), (TPPNet, 3_010_796, 300), (KiNet, 1_492_736, 128)]


def spectrum(columns, tracks=2):
    return torch.rand(tracks, 1, 84, columns, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("network", "parameters", "width"), NETWORKS)
def test_published_sizes(network, parameters, width):
    model = network()
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters
    assert model.width == width
    assert model(spectrum(200)).shape == (2, width)


@pytest.mark.parametrize(("network", "parameters", "width"), NETWORKS)
def test_short_input_ends_in_zeros(network, parameters, width):
    torch.manual_seed(0)
    model = network().eval()
    short, least = spectrum(1), network.min_columns
    padded = torch.zeros(2, 1, 84, least)
    padded[..., :1] = short
    with torch.no_grad():
        torch.testing.assert_close(model(short), model(padded), rtol=0, atol=0)
        assert not torch.equal(model(spectrum(least)), model(padded))


@pytest.mark.parametrize(("network", "parameters", "width"), NETWORKS)
def test_no_network_takes_less_than_its_minimum(network, parameters, width, monkeypatch):
    # One column less than min_columns does not fit: the number says what the layers need, and no more.
    monkeypatch.setattr(network, "min_columns", network.min_columns - 1)
    with pytest.raises(RuntimeError, match="[Ss]ize"):
        network().eval()(spectrum(network.min_columns))


def test_shapes_of_cqtnet_on_400_columns():
    model, found = CQTNet().eval(), {}
    for name, layer in model.features.named_children():
        layer.register_forward_hook(lambda _, __, out, name=name: found.update({name: tuple(out.shape[2:])}))
    with torch.no_grad():
        model(spectrum(400, tracks=1))
    expected = {"conv0": (85, 398), "conv1": (73, 394), "pool1": (73, 198), "conv3": (59, 192)}
    expected |= {"pool3": (59, 97), "pool5": (55, 46), "pool7": (51, 21), "conv9": (47, 15)}
    assert {name: found[name] for name in expected} == expected


def test_shapes_of_tppnet_on_400_columns():
    model = TPPNet().eval()
    with torch.no_grad():
        tall = model.tall(spectrum(400, tracks=1))
        flat = model.flat(tall.amax(dim=2, keepdim=True))
    assert tall.shape == (1, 128, 36, 89)
    assert flat.shape == (1, 512, 1, 10)


@pytest.mark.parametrize("training", [False, True])
def test_kinet_does_not_hear_the_key(training):
    torch.manual_seed(0)
    model = KiNet().train(training)
    # Statistics of a batch of two divide by differences that can be tiny, and rounding with them.
    tolerance = 1e-4 if training else 1e-6
    cqt = spectrum(140)
    with torch.no_grad():
        model(cqt * 2 + 1)  # running statistics that are not those of the start
        embedding = model(cqt)
        for semitones in range(1, 12):
            shifted = model(cqt.roll(semitones, dims=2))
            torch.testing.assert_close(shifted, embedding, rtol=0, atol=tolerance)
        assert (model(cqt.flip(2)) - embedding).abs().max() > 1e-3  # other chords are another matter


def test_cqtnet_learns_to_tell_two_works_apart():
    torch.manual_seed(0)
    melodies = (torch.rand(2, 84, 25) > 0.93).float().repeat_interleave(8, dim=2)
    versions = torch.cat([melodies * (0.5 + 0.5 * torch.rand(2, 84, 200)) for _ in range(2)]).unsqueeze(1)
    works, head = torch.arange(2).repeat(2), CoverHead("cqtnet", upstream_dim=1, works=2)
    optimizer = torch.optim.Adam(head.parameters(), lr=1e-3)
    losses = []
    for _ in range(4):
        loss = torch.nn.functional.cross_entropy(head.classifier(head(None, versions)), works)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_chroma_by_hand():
    cqt = torch.zeros(1, 1, 84, 2)
    cqt[0, 0, [0, 12, 24], 0] = 1.0  # three Cs and a D: 3 and 1.5, divided by the column's maximum
    cqt[0, 0, 38, 0] = 1.5
    folded = chroma(cqt)[0, 0]
    assert (folded[0, 0].item(), folded[2, 0].item()) == (1.0, 0.5)
    assert folded.sum().item() == 1.5  # nothing else, and a silent column is no division by zero


def published(prefix=""):
    """A state dict of the published shape, with its classifier over 10,000 works."""
    generator = torch.Generator().manual_seed(1)
    state = {
        f"{prefix}{name}": torch.rand(value.shape, generator=generator).to(value.dtype)
        for name, value in CQTNet().state_dict().items()
    }
    return state | {f"{prefix}fc1.weight": torch.zeros(10_000, 300), f"{prefix}fc1.bias": torch.zeros(10_000)}


@pytest.mark.parametrize("prefix", ["", "module."])
def test_published_weights_of_cqtnet(prefix):
    state = published(prefix)
    names = {name.removeprefix(prefix).rsplit(".", 1)[0] for name in state}
    layers = {f"features.{kind}{number}" for kind in ("conv", "norm") for number in range(10)}
    assert names == layers | {"fc0", "fc1"}
    assert state[f"{prefix}features.conv0.weight"].shape == (32, 1, 12, 3)
    model = CQTNet()
    model.load_published(state)
    assert torch.equal(model.features.norm9.running_var, state[f"{prefix}features.norm9.running_var"])
    assert torch.equal(model.fc0.weight, state[f"{prefix}fc0.weight"])


@pytest.mark.parametrize("fault", ["missing", "shape"])
def test_other_weights_are_refused(fault):
    state = published()
    if fault == "missing":
        del state["features.conv3.weight"]
    else:
        state["features.conv3.weight"] = torch.zeros(64, 64, 3, 5)
    with pytest.raises(ValueError, match="not the weights of a CQT-Net .* features.conv3.weight"):
        CQTNet().load_published(state)


@pytest.mark.parametrize(
    ("kind", "width"),
    [("cqtnet", 300), ("tppnet", 300), ("kinet", 128), ("upstream", 300), ("upstream+cqtnet", 600)],
)
def test_heads(kind, width):
    head = CoverHead(kind, upstream_dim=16, works=7)
    mean = torch.randn(2, 16) if HEADS[kind][0] else None
    embedding = head(mean, None if kind == "upstream" else spectrum(180))
    assert embedding.shape == (2, width) == (2, head.width)
    assert head.classifier(embedding).shape == (2, 7)
    if kind == "upstream+cqtnet":
        parts = embedding.unflatten(1, (2, 300)).norm(dim=2)
        torch.testing.assert_close(parts, torch.full((2, 2), 300**0.5))


def test_kinet_of_earlier_checkpoints():
    now, before = CoverHead("kinet", 4, works=3), CoverHead("kinet", 4, works=3, revision=1)
    assert (now.network.keys[2].negative_slope, before.network.keys[2].negative_slope) == (0.3, 0.2)
    assert (now.classifier[1].bias is None, before.classifier[1].bias is None) == (True, False)
    assert CoverHead("cqtnet", 4, works=3).classifier[1].bias is not None
