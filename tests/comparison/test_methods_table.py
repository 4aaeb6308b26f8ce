import numpy as np
import pytest

from s3prl_pemr.comparison.methods_figure import methods_figure
from s3prl_pemr.comparison.methods_table import Outcome, methods_table, spread
from s3prl_pemr.report.figures import to_pixels
from s3prl_pemr.report.scores_table import Row


def outcome(steps, roc_auc, seconds):
    scores = {"roc_auc": roc_auc, "pr_auc": roc_auc - 0.2}
    intervals = {name: (score - 0.1, score + 0.1) for name, score in scores.items()}
    return Outcome(steps, Row("x_local", scores, intervals, 72, 370_560, seconds))


ONE_SEED = [(outcome(30, 0.7, 118.6), outcome(31, 0.75, 121.2))]
TWO_SEEDS = [
    (outcome(30, 0.6, 40.0), outcome(90, 0.8, 120.0)),
    (outcome(30, 0.7, 44.0), outcome(90, 0.8, 130.0)),
]
FLOOR = [(outcome(0, 0.65, 0.0), outcome(0, 0.65, 0.0))]


def test_a_row_has_both_budgets():
    lines = methods_table({"pemr_random": FLOOR, "pemr": ONE_SEED, "byol": TWO_SEEDS}).splitlines()
    assert lines[0] == (
        "| method | equal steps: steps | seconds | ROC-AUC | PR-AUC "
        "| equal seconds: steps | seconds | ROC-AUC | PR-AUC | parameters | seeds |"
    )
    assert lines[2].startswith(
        "| `pemr_random` | 0 | 0 | 0.650 [0.550, 0.750] | 0.450 [0.350, 0.550] | 0 | 0 |"
    )
    assert lines[3] == (
        "| `pemr` | 30 | 119 | 0.700 [0.600, 0.800] | 0.500 [0.400, 0.600] "
        "| 31 | 121 | 0.750 [0.650, 0.850] | 0.550 [0.450, 0.650] | 370,560 | 1 |"
    )
    # sample deviation of 0.6 and 0.7: sqrt(2 * 0.05^2 / 1) = 0.0707
    assert lines[4] == (
        "| `byol` | 30 | 42 | 0.650 ± 0.071 | 0.450 ± 0.071 "
        "| 90 | 125 | 0.800 ± 0.000 | 0.600 ± 0.000 | 370,560 | 2 |"
    )
    assert {line.count("|") for line in lines} == {12}


def test_bounds_are_the_interval_of_one_seed_or_the_deviation_of_several():
    assert spread([ONE_SEED[0][0]], "roc_auc") == pytest.approx((0.7, 0.6, 0.8))
    values = spread([pair[0] for pair in TWO_SEEDS], "roc_auc")
    assert values == pytest.approx((0.65, 0.65 - 0.005**0.5, 0.65 + 0.005**0.5))


def test_the_picture_draws_each_score_with_its_bounds_and_the_floor():
    figure = methods_figure({"pemr_random": FLOOR, "pemr": ONE_SEED, "byol": TWO_SEEDS})
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["pemr", "byol"]
    steps, seconds = (container.lines[0] for container in axes.containers)
    assert list(steps.get_xdata()) == pytest.approx([0.7, 0.65])
    assert list(seconds.get_xdata()) == pytest.approx([0.75, 0.8])
    bars = axes.containers[0].lines[2][0].get_segments()
    deviation = 0.005**0.5
    np.testing.assert_allclose(bars[0][:, 0], [0.6, 0.8])
    np.testing.assert_allclose(bars[1][:, 0], [0.65 - deviation, 0.65 + deviation])
    assert 0.65 in [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"]
    assert to_pixels(figure).std() > 0


def test_the_floor_alone_can_be_drawn():
    assert len(methods_figure({"pemr_random": FLOOR}).axes) == 1
