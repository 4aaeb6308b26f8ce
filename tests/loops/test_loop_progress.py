"""The toolkit's loop counts its steps with a progress bar, however that shows."""

import torch

TRAIN = ("-m", "train", "-u", "tiny_random", "-d", "counting")


def test_the_loop_ends_where_bars_are_switched_off(run_downstream, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    run_downstream(*TRAIN, "-p", tmp_path, "-o", "config.runner.total_steps=6,,config.runner.save_step=6")
    assert torch.load(tmp_path / "states-6.ckpt", map_location="cpu")["Step"] == 6
    assert sum(line.startswith("train") for line in (tmp_path / "seen-0.txt").open()) == 6
    assert "overall" not in capfd.readouterr().err


def test_without_a_terminal_the_loop_writes_one_line(run_downstream, tmp_path, monkeypatch, capfd):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    run_downstream(*TRAIN, "-p", tmp_path)
    bars = [line for line in capfd.readouterr().err.splitlines() if "it/s" in line or "\r" in line]
    assert len(bars) == 1
    assert bars[0].startswith("overall: 100% 8/8")
