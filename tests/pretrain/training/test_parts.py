"""Each process has the audio of its own part alone; together they compute what one does over all parts."""

import json
import shutil
import subprocess

import numpy as np
import parts_worker
import pytest
import torch
from baseline_methods import narrow
from pretraining_runs import runner_config
from s3prl.pretrain.crops.dataset import EpochBatches
from test_distributed import RATES, TORCHRUN

from s3prl_pemr.prepare.__main__ import main as prepare
from s3prl_pemr.store import AudioStore, StoreError


@pytest.fixture(scope="module")
def nodes(store, tmp_path_factory):
    """A joined store of two parts, and two copies of it, each of which lacks one part's audio."""
    root = tmp_path_factory.mktemp("nodes")
    audio = str(store).removesuffix("store") + "audio"
    for number in (1, 2):
        words = ["folder", audio, str(root / f"whole/{number}"), "--jobs", "1", "--shard", f"{number}/2"]
        assert prepare(words) == 0
    assert prepare(["join", str(root / "whole/all"), str(root / "whole/1"), str(root / "whole/2")]) == 0
    for own, other in ((1, 2), (2, 1)):
        shutil.copytree(root / "whole", root / f"node{own}")
        (root / f"node{own}/{other}/audio.i16").unlink()
    return [str(root / name / "all") for name in ("whole", "node1", "node2")]


def test_batches_have_as_many_of_each_part_and_do_not_depend_on_the_processes():
    tracks, parts = np.arange(100, 122), np.arange(22) % 2
    parts[:4] = 0  # 13 and 9 tracks
    whole = list(EpochBatches(tracks, 4, seed=0, parts=parts))
    assert len(whole) == 4  # 9 // 2
    for keys in whole:
        assert [int(parts[track - 100]) for _, track in keys] == [0, 0, 1, 1]
    shares = [EpochBatches(tracks, 4, seed=0, rank=rank, world_size=2, parts=parts) for rank in (0, 1)]
    assert [a + b for a, b in zip(*map(list, shares), strict=True)] == whole
    for part, batches in enumerate(shares):
        assert set(batches.read_tracks) == set(batches.counted_tracks) == set(tracks[parts == part])
    four = [EpochBatches(tracks, 8, seed=0, rank=rank, world_size=4, parts=parts) for rank in range(4)]
    assert [set(one.read_tracks) for one in four] == [set(tracks[parts == part]) for part in (0, 0, 1, 1)]
    assert sorted(np.concatenate([one.counted_tracks for one in four])) == tracks.tolist()
    with pytest.raises(ValueError, match="train_batch_size 3 is not a multiple of 2 parts"):
        EpochBatches(tracks, 3, seed=0, parts=parts)
    with pytest.raises(ValueError, match="wants 10 tracks of each of 2 parts; one has 9"):
        EpochBatches(tracks, 20, seed=0, parts=parts)


def test_without_parts_the_order_is_as_it_was():
    order = np.concatenate([[track for _, track in keys] for keys in EpochBatches(np.arange(9), 3, seed=5)])
    assert sorted(order) == list(range(9))
    assert EpochBatches(np.arange(9), 3, seed=5, rank=0).read_tracks.tolist() == list(range(9))


def test_audio_that_is_not_here_is_an_error_when_it_is_read(nodes):
    with pytest.raises(StoreError, match="0 bytes, but index.tsv says"):
        AudioStore(nodes[1])
    store = AudioStore(nodes[1], may_lack_audio=True)
    own, other = (int(np.flatnonzero(store.part_numbers == part)[0]) for part in (0, 1))
    assert len(store.read(own)) == store.length_samples[own]
    with pytest.raises(StoreError, match="audio.i16: is not here, and .* is asked for"):
        store.read(other)
    assert store.fingerprint == AudioStore(nodes[0]).fingerprint


def test_two_processes_with_a_part_each_compute_what_one_does(nodes, tmp_path):
    runner = runner_config(nodes[0])
    runner["pretrain_expert"]["datarc"] |= {"batches_by_part": True, "train_batch_size": 4}
    runner["optimizer"] = {"name": "TorchOptim", "torch_optim_name": "SGD", "lr": RATES["pemr"]}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps({"runner": runner, "model": narrow("pemr")}))
    command = [*TORCHRUN, parts_worker.__file__, str(tmp_path / "two"), *nodes[1:]]
    subprocess.run(command, check=True, timeout=200)
    parts_worker.compute(tmp_path / "one", nodes[:1])
    single = torch.load(tmp_path / "one/run/training0.pt")
    for rank in (0, 1):
        both = torch.load(tmp_path / f"two/run/training{rank}.pt")
        for name in ("model.frontend.mean", "model.frontend.std"):  # measured on all parts
            torch.testing.assert_close(both["weights"][name], single["weights"][name], rtol=1e-5, atol=1e-6)
        for name, value in single["values"].items():
            if name.endswith("loss"):
                assert both["values"][name] == pytest.approx(value, rel=1e-4), name
        for part in ("model.encoder", "model.transformer"):
            moved = [
                torch.cat([
                    (run["weights"][name] - single["initial"][name]).double().flatten()
                    for name in run["weights"] if name.startswith(part)
                ])
                for run in (single, both)
            ]  # fmt: skip
            assert moved[0].norm() > 1e-3 and (moved[1] - moved[0]).norm() < 1e-2 * moved[0].norm()
