"""Heads of checkpoints that version 0.1 wrote: Ki-Net had another slope, and a classifier with a bias."""

import torch
from s3prl.downstream.cover_song.expert import DownstreamExpert


def kinet(tmp_path, **arguments):
    return DownstreamExpert(
        {"modelrc": {"kind": "kinet"}, "datarc": {"store": "x"}}, {},
        upstream_dim=4, upstream_rate=160, expdir=str(tmp_path), mode="inference",
        init_ckpt="dev-best.ckpt", **arguments,
    )  # fmt: skip


def test_an_earlier_kinet_is_read_as_it_was(tmp_path):
    written = kinet(tmp_path)
    written._make_head(["a", "b"], revision=1)
    state = written.state_dict()
    del state["_extra_state"]["revision"]
    read = kinet(tmp_path)
    read.load_state_dict(state)
    assert read.head.network.keys[2].negative_slope == 0.2
    cqt = torch.rand(1, 1, 84, 140)
    for expert in (written, read):
        expert.eval()
    torch.testing.assert_close(
        read.head.classifier(read.head(None, cqt)), written.head.classifier(written.head(None, cqt))
    )
    assert read.get_extra_state()["revision"] == 1


def test_todays_kinet(tmp_path):
    written = kinet(tmp_path)
    written._make_head(["a", "b"])
    read = kinet(tmp_path)
    read.load_state_dict(written.state_dict())
    assert read.head.network.keys[2].negative_slope == 0.3
    assert read.head.classifier[1].bias is None
