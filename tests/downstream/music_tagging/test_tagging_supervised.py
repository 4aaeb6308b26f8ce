"""run_downstream.py -u NAME -f -d music_tagging from random weights; BYOL-A from a file."""

import json

import pytest
import torch
from s3prl import hub
from s3prl.upstream.byol_a.byol_a import AudioNTT2020

SETTINGS = (
    "config.runner.total_steps=1,,config.runner.eval_step=1,,config.runner.save_step=1,,config.runner.log_step=1"
    ",,config.downstream_expert.datarc.train_batch_size=2,,config.downstream_expert.datarc.store="
)


@pytest.mark.parametrize("name", ["fcn", "timbre_cnn", "cnn_1d"])  # the others: the same code, slower
def test_a_tagger_is_trained_from_the_seed(run_downstream, store, tmp_path, name):
    run_downstream(
        *("-m", "train", "-u", name, "-f", "--seed", 5, "-d", "music_tagging", "-p", tmp_path),
        *("-o", f"{SETTINGS}{store}"),
    )
    saved = torch.load(tmp_path / "states-1.ckpt")["Upstream"]
    start = getattr(hub, name)()
    start.reset_parameters(5)
    for parameter, weights in start.named_parameters():
        moved = (saved[parameter] - weights).abs().max().item()
        assert moved < 1.1e-3, parameter  # a step of Adam, 1e-3
    matrices = [key for key, weights in start.named_parameters() if weights.dim() > 1]
    assert all((saved[key] - start.state_dict()[key]).abs().max() > 1e-4 for key in matrices)
    again = getattr(hub, name)(ckpt=str(tmp_path / "dev-best.ckpt"))
    assert all(torch.equal(weights, saved[key]) for key, weights in again.state_dict().items())
    dev = json.loads((tmp_path / "scores.json").read_text())["dev"]
    assert (dev["upstream"], dev["upstream_trainable"], dev["clips"]) == (name, True, 8)


def test_byol_a_from_a_file_is_an_upstream(run_downstream, store, tmp_path):
    torch.save(AudioNTT2020(n_mels=64, d=512).state_dict(), tmp_path / "byol.pth")
    run_downstream(
        *("-m", "train", "-u", "byol_a_local", "-k", tmp_path / "byol.pth"),
        *("-d", "music_tagging", "-p", tmp_path / "run", "-o", f"{SETTINGS}{store}"),
    )
    dev = json.loads((tmp_path / "run" / "scores.json").read_text())["dev"]
    assert (dev["upstream"], dev["head_parameters"]) == ("byol_a_local", 512 * 3 + 3)
