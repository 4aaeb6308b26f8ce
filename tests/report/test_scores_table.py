import json
from dataclasses import replace

import pytest

from s3prl_pemr.report.parameters import parameter_count
from s3prl_pemr.report.scores_table import Row, markdown_table, read_row

INTERVALS = {"roc_auc": [0.6, 0.8], "pr_auc": [0.4, 0.61]}
SCORES = {"test": {"roc_auc": 0.71239, "pr_auc": 0.5, "clips": 72, "interval_95": INTERVALS}}


def test_rows_come_from_the_scores_of_the_split(tmp_path):
    (tmp_path / "scores.json").write_text(json.dumps(SCORES))
    row = read_row("mel", tmp_path / "scores.json", "test", 0, 12.4)
    scores = {"roc_auc": 0.71239, "pr_auc": 0.5}
    assert row == Row("mel", scores, {"roc_auc": (0.6, 0.8), "pr_auc": (0.4, 0.61)}, 72, 0, 12.4)
    assert markdown_table([replace(row, head="plain")]).splitlines()[-1] == (
        "| `mel` | plain | 0.712 [0.600, 0.800] | 0.500 [0.400, 0.610] | 72 | 0 | 12 |"
    )


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (None, "not there; has -u mel been"),
        ({"dev": {}}, "no scores of the test split"),
        ({"test": {"roc_auc": 0.5}}, "no scores of the test split"),
    ],
)
def test_an_experiment_that_was_not_scored_is_named(tmp_path, scores, message):
    if scores is not None:
        (tmp_path / "scores.json").write_text(json.dumps(scores))
    with pytest.raises(ValueError, match=message):
        read_row("mel", tmp_path / "scores.json", "test", 0, 0)


@pytest.mark.parametrize(("upstream", "count"), [("pemr_random", 370_560), ("fbank_no_cmvn", 0)])
def test_parameters_that_the_features_pass_through(upstream, count):
    assert parameter_count(upstream) == count
