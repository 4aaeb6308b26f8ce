"""The benchmark for a GPU runs in all its parts, tiny and on a CPU."""

import json
import subprocess
import sys

import pytest
from places import ROOT


@pytest.mark.slow
def test_every_part_runs(store, tmp_path):
    command = [sys.executable, ROOT / "benchmarks/gpu.py", store, tmp_path, "--quick", "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert len(found) == 12
    assert not [name for name, part in found.items() if "failed" in part], found
    assert found["correctness"] == {"waveforms": 0, "loss": 0, "encoder_gradient": 0}
    assert found["loop of 4, fast, compile off"]["clips_per_second"] > 0
    assert found["CQT, tracks a second"]["correlation"] > 0.999
    share = found["share of the card's limit"]["loop of 4, fast, compile off"]
    assert share > 0
    operations = found["work of 4"]["tera_operations"]
    assert operations == pytest.approx(
        4 * 17.3e-3, rel=0.1
    )  # by hand, of 2.7 s: FCN-4 9.4, transformer 7.9 GFLOP a track
    assert "knn_roc_auc" in found["losses, bf16, compile off"][-1]
    assert (tmp_path / "losses.png").stat().st_size > 1_000
