"""docs/first_steps.ipynb runs from its first cell to its last."""

import json

import matplotlib
import pytest
from matplotlib import pyplot
from places import ROOT


@pytest.fixture
def without_a_window(monkeypatch):
    before = matplotlib.get_backend()
    matplotlib.use("agg")
    yield
    pyplot.close("all")
    matplotlib.use(before)


def test_every_cell_runs(tmp_path, monkeypatch, without_a_window, capsys):
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((ROOT / "docs/first_steps.ipynb").read_text())
    names: dict = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
            exec("".join(cell["source"]), names)
    assert names["vectors"].shape == (12, 512)
    same, other = (
        [
            names["cosines"][a, b].item()
            for a in range(12)
            for b in range(a)
            if (names["store"].labels[a] == names["store"].labels[b]) == alike
        ]
        for alike in (True, False)
    )
    assert sum(same) / len(same) > sum(other) / len(other) + 0.2  # as its text says
    assert (tmp_path / "pretrained/states-3.ckpt").is_file()
    assert capsys.readouterr().out.count("prediction_loss") == 3
