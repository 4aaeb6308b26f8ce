"""The picture of a section: with a reference two sides, alone one."""

import numpy as np

from s3prl_pemr.comparison.outcome.figure import section_figure
from s3prl_pemr.comparison.outcome.results import Line, Section
from s3prl_pemr.comparison.outcome.scores import Score
from s3prl_pemr.comparison.plan import Row, Task


def section(**values):
    rng = np.random.default_rng(0)
    lines = []
    for name, value in values.items():
        songs = np.clip(rng.normal(value, 0.05, 30), 0, 1)
        left_out = (songs.sum() - songs) / 29
        score = Score(float(songs.mean()), rng.choice(songs, (200, 30)).mean(axis=1), left_out, 30)
        lines.append(Line(Row(name=name, upstream=name), {"roc_auc": [score]}, counted=30, songs=30))
    return Section("tagging", "test", Task(store="music"), lines, "fbank")


def test_what_nothing_stands_beside_has_no_empty_side():
    figure = section_figure(section(fbank=0.8), "roc_auc")
    assert len(figure.axes) == 1
    assert figure.get_suptitle() == "tagging, test: how good is it? (30 clips)"


def test_differences_stand_on_the_right():
    figure = section_figure(section(fbank=0.6, pemr=0.9), "roc_auc")
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["fbank", "pemr"]
    assert right.get_xlabel() == "ROC-AUC less that of fbank"
    assert "is any row better than fbank? (30 clips; black" in figure.get_suptitle()
