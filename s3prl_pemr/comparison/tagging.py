"""The demo's music tagging: the same head on several upstreams."""

from __future__ import annotations

from pathlib import Path

from s3prl_pemr.report.parameters import parameter_count
from s3prl_pemr.report.scores_table import markdown_table, read_row

from .launchers import evaluate, train
from .stages import Stages

UPSTREAMS = ("pemr_local", "pemr_random", "fbank_no_cmvn", "mel")
STAGES = 2 * len(UPSTREAMS)


def tagging_table(stages: Stages, folder: Path, store: Path, checkpoint: Path) -> str:
    """Train and score the heads that are not there yet; the table in Markdown."""
    rows = []
    for upstream in UPSTREAMS:
        weights = checkpoint if upstream == "pemr_local" else None
        expdir, cache = folder / upstream, ["--feature_cache", str(folder / "features")]
        names = f"head {upstream}", f"scores {upstream}"
        settings = {"datarc.store": store}
        stages.run(names[0], train("music_tagging", upstream, weights, expdir, settings, *cache))
        stages.run(names[1], evaluate(expdir, "test", *cache))
        size = parameter_count(upstream, weights)
        rows.append(read_row(upstream, expdir / "scores.json", "test", size, stages.seconds(*names)))
    return markdown_table(rows)
