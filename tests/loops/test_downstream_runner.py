import os
import random

import numpy as np
import pytest
import s3prl.downstream.runner as toolkit
import torch

import s3prl_pemr.launch.downstream as launch
from s3prl_pemr.loops.random_state import preserved_random_state, seed_epoch
from s3prl_pemr.loops.safe_checkpoints import safe_checkpoints

TRAIN = ("-m", "train", "-u", "tiny_random", "-d", "counting")
STEPS_PER_EPOCH = 4


def train_order(expdir):
    """The clips of each training epoch, in their order: one list an epoch."""
    lines = [line.split() for line in (expdir / "seen-0.txt").read_text().splitlines()]
    batches = [line[1:] for line in lines if line[0] == "train"]
    epochs = [batches[i : i + STEPS_PER_EPOCH] for i in range(0, len(batches), STEPS_PER_EPOCH)]
    return [sum(epoch, []) for epoch in epochs]


def states(path):
    return torch.load(path, map_location="cpu")


def test_epochs_after_an_evaluation_are_shuffled_anew(run_downstream, tmp_path):
    run_downstream(*TRAIN, "-p", tmp_path, "-o", "config.runner.total_steps=16")
    epochs = train_order(tmp_path)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    assert all(sorted(map(int, epoch)) == list(range(16)) for epoch in epochs)


def test_the_toolkits_own_runner_repeats_the_order(run_downstream, tmp_path, monkeypatch):
    # what is mended: should s3prl mend it one day, our hooks can go
    monkeypatch.setattr(launch, "Runner", lambda args, config, **_: toolkit.Runner(args, config))
    run_downstream(*TRAIN, "-p", tmp_path, "-o", "config.runner.total_steps=16")
    first, second, third, fourth = train_order(tmp_path)
    assert second == third == fourth


@pytest.mark.parametrize("task", ["counting", "counting_without_epoch"])
def test_a_resumed_run_goes_on_with_the_order_of_its_epoch(run_downstream, tmp_path, task):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    flags = ("-m", "train", "-u", "tiny_random", "-d", task, "-p")
    run_downstream(*flags, whole, "-o", "config.runner.total_steps=12")
    run_downstream(*flags, parts)  # 8 steps; the toolkit saves epoch 1, which is done, as the one under way
    (parts / "seen-0.txt").unlink()
    run_downstream("-m", "train", "-e", parts, "-o", "config.runner.total_steps=12")
    _, first, second = train_order(whole)
    assert train_order(parts) == [second] != [first]


def test_the_seed_decides_the_order(run_downstream, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run_downstream(*TRAIN, "-p", tmp_path / name, "--seed", seed, "-o", "config.runner.total_steps=4")
    a, b, c = (train_order(tmp_path / name)[0] for name in "abc")
    assert a == b != c


def draw():
    return random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002 - the state under test


def test_random_state_is_kept_over_an_evaluation():
    seed_epoch(3, 0, 0)
    expected = draw()
    seed_epoch(3, 0, 0)
    with preserved_random_state():
        seed_epoch(4, 0, 0)
        draw()
    assert draw() == expected


def test_epoch_seed_depends_on_seed_epoch_and_process():
    drawn = set()
    for key in [(3, 0, 0), (4, 0, 0), (3, 1, 0), (3, 0, 1), (0, 3, 0)]:
        seed_epoch(*key)
        drawn |= set(draw())
    assert len(drawn) == 15


def test_one_checkpoint_is_kept_and_none_unfinished(run_downstream, tmp_path):
    run_downstream(*TRAIN, "-p", tmp_path, "-o", "config.runner.total_steps=12")
    assert sorted(path.name for path in tmp_path.glob("*.ckpt*")) == ["dev-best.ckpt", "states-12.ckpt"]


def test_a_run_killed_while_saving_keeps_its_last_checkpoint(tmp_path, monkeypatch):
    old, new = tmp_path / "states-4.ckpt", tmp_path / "states-8.ckpt"
    torch.save({"Step": 4}, old)

    def killed_half_way(states, path):
        path.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", killed_half_way)
    with pytest.raises(KeyboardInterrupt), safe_checkpoints():
        os.remove(old)  # noqa: PTH107 - as s3prl/downstream/runner.py:393
        torch.save({"Step": 8}, str(new))
    monkeypatch.undo()
    assert torch.load(old) == {"Step": 4}
    assert list(tmp_path.iterdir()) == [old]


def test_a_checkpoint_written_again_is_not_removed(tmp_path):
    path, best, log = tmp_path / "states-4.ckpt", tmp_path / "dev-best.ckpt", tmp_path / "log.txt"
    for file in (path, log):
        file.write_text("old")
    with safe_checkpoints():
        for file in (path, log):
            os.remove(file)  # noqa: PTH107 - as s3prl/downstream/runner.py:393
        assert not log.exists()  # anything else goes at once
        torch.save({"Step": 4}, best)
        assert path.read_text() == "old"
        torch.save({"Step": 4}, path)
    assert torch.load(path) == {"Step": 4}


def test_seed_initialises_a_random_upstream_that_is_trained(run_downstream, tmp_path):
    flags = ("-m", "train", "-u", "tiny_random", "-d", "counting", "-f", "-o")
    still = "config.optimizer.lr=0.0,,config.runner.total_steps=4"
    weights = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run_downstream(*flags, still, "-p", tmp_path / name, "--seed", seed)
        weights[name] = states(tmp_path / name / "states-4.ckpt")["Upstream"]["layer.weight"]
    expected = torch.randn(4, 160, generator=torch.Generator().manual_seed(1)) / 160**0.5
    torch.testing.assert_close(weights["a"], expected)
    assert torch.equal(weights["a"], weights["b"])
    assert not torch.allclose(weights["a"], weights["c"])


def test_a_trained_upstream_is_resumed_and_not_reset(run_downstream, tmp_path):
    run_downstream("-m", "train", "-u", "tiny_random", "-d", "counting", "-f", "-p", tmp_path)
    trained = states(tmp_path / "states-8.ckpt")["Upstream"]["layer.weight"]
    fresh = torch.randn(4, 160, generator=torch.Generator().manual_seed(1337)) / 160**0.5
    run_downstream("-m", "train", "-e", tmp_path, "-o", "config.runner.total_steps=12")
    resumed = states(tmp_path / "states-12.ckpt")["Upstream"]["layer.weight"]
    assert (resumed - trained).norm() < (resumed - fresh).norm()  # 4 steps on, not 4 steps from the start


def test_a_text_as_an_upstreams_checkpoint_is_one_line(run_downstream, tmp_path, monkeypatch):
    def reading(ckpt=None, **_):
        return torch.load(ckpt, weights_only=False)  # as the toolkit's upstreams do: KeyError or the like

    monkeypatch.setattr(toolkit.hub, "tiny_random", reading)
    for content, what in (("notes", "no checkpoint"), ("", "empty")):
        (tmp_path / "notes.txt").write_text(content)
        flags = (*TRAIN, "-p", tmp_path / "run", "-k", tmp_path / "notes.txt")
        with pytest.raises(SystemExit, match=f"^error: -k .*notes.txt: is {what}; name a file that -u tiny_"):
            run_downstream(*flags)


def test_a_runs_files_do_not_pile_up_and_its_last_line_says_what_is_new(run_downstream, tmp_path, capsys):
    for steps in (4, 8):
        run_downstream(*TRAIN, "-a", "-p", tmp_path, "-o", f"config.runner.total_steps={steps}")
        *_, then, line = capsys.readouterr().out.splitlines()
        assert then == f"score it: s3prl-pemr downstream -m evaluate -e {tmp_path / 'dev-best.ckpt'}"
        assert line == f"saved to {tmp_path}: dev-best.ckpt, states-{steps}.ckpt"
    assert sorted(path.name for path in tmp_path.glob("*.yaml")) == ["args_last.yaml", "config_last.yaml"]
