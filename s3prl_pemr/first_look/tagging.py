"""The demo's music tagging: the same two heads on several upstreams."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from s3prl_pemr.comparison.launchers import evaluate, train
from s3prl_pemr.comparison.stages import Stages
from s3prl_pemr.report.parameters import parameter_count
from s3prl_pemr.report.scores_table import markdown_table, read_row

UPSTREAMS = ("pemr_local", "pemr_random", "fbank_no_cmvn", "mel")
HEADS = ("standardised", "plain")  # the second is the paper's
STAGES = 2 * len(UPSTREAMS) * len(HEADS)


def tagging_table(stages: Stages, folder: Path, store: Path, checkpoint: Path) -> str:
    """Train and score the heads that are not there yet; the table in Markdown."""
    rows = []
    for upstream in UPSTREAMS:
        weights = checkpoint if upstream == "pemr_local" else None
        size = parameter_count(upstream, weights)
        for head in HEADS:
            plain = head == "plain"
            expdir = folder / (f"{upstream}-plain" if plain else upstream)
            cache = ["--feature_cache", str(folder / "features")]
            names = [f"{what} {upstream}{' plain' if plain else ''}" for what in ("head", "scores")]
            settings = {"datarc.store": store}
            if plain:  # config_demo.yaml standardises
                settings["modelrc.standardise"] = False
            stages.run(names[0], train("music_tagging", upstream, weights, expdir, settings, *cache))
            stages.run(names[1], evaluate(expdir, "test", *cache))
            row = read_row(upstream, expdir / "scores.json", "test", size, stages.seconds(*names))
            rows.append(replace(row, head=head))
    return markdown_table(rows)
