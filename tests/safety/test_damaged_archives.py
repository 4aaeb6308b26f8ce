import random

import numpy as np
import pytest
import torch
from pretraining_runs import equal

from s3prl_pemr.safety.damage import damage_of, refuse_damaged_newest


def test_no_flipped_bit_is_loaded(tmp_path):
    """Refused, or without a consequence: 200 of them."""
    path, generator = tmp_path / "states-1.ckpt", random.Random(0)
    states = {"Upstream": {"w": torch.randn(50, 20), "b": torch.zeros(3)}, "Step": 7, "Data": {"x": "y" * 40}}
    torch.save(states, path)
    assert damage_of(path) is None
    whole, refused = path.read_bytes(), 0
    for _ in range(200):
        content = bytearray(whole)
        content[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        path.write_bytes(content)
        if damage_of(path):
            refused += 1
            continue
        try:
            loaded = torch.load(path, weights_only=True)
        except Exception:  # what our readers say in one line
            continue
        assert equal(loaded, states)
    assert refused > 100


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_file_cut_off_is_damaged(tmp_path, share):
    path = tmp_path / "x.npz"
    np.savez(path, a=np.zeros(1000))
    content = path.read_bytes()
    path.write_bytes(content[: max(int(share * len(content)), 2)])
    assert "damaged or cut off" in damage_of(path)


def test_a_file_of_another_kind_has_no_checksums(tmp_path):
    (tmp_path / "x").write_text("no archive")
    assert damage_of(tmp_path / "x") is None


def test_what_is_said_of_the_newest(tmp_path):
    paths = [tmp_path / f"states-{step}.ckpt" for step in (1, 2, 3)]
    for path in paths:
        torch.save({"a": torch.zeros(100)}, path)
    refuse_damaged_newest(paths)
    for broken, remedy in (
        (paths[2:], "goes on from states-2.ckpt"),
        (paths[1:], "from states-1.ckpt"),
        (paths, "none|no older"),
    ):
        for path in broken:
            path.write_bytes(path.read_bytes()[:300])
        with pytest.raises(ValueError, match=f"states-3.ckpt is damaged or cut off .*{remedy}"):
            refuse_damaged_newest(paths)
