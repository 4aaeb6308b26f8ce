"""What the demo runs side by side, as a user would: heads, a collection of covers, a pretraining."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from s3prl_pemr.comparison.launchers import evaluate, pretrain, train
from s3prl_pemr.comparison.schedule import LOG, Runnable, carry_out
from s3prl_pemr.comparison.stages import Stages
from s3prl_pemr.report.printable import visible
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.interruption import Interruption

from .covers import COLLECTION
from .few_labels import FRACTIONS, RULER, expdir_of, stage_names

PRETRAIN_SETTINGS = {
    "config.pretrain_expert.datarc.train_batch_size": 8,
    "config.pretrain_expert.datarc.statistics_clips": 128,
    "config.runner.log_step": 6,
}


@dataclass(frozen=True, eq=False)
class Heads:
    """An upstream's heads, with all and with few labels; `folder` is theirs."""

    upstream: str
    store: Path
    folder: Path
    cache: Path

    @property
    def title(self) -> str:
        """For people."""
        return f"heads on {self.upstream}"

    def carry_out(self, stages: Stages) -> None:
        """Train and score what is missing."""
        cache = ("--feature_cache", str(self.cache))
        for fraction in FRACTIONS:
            head, scores = stage_names(fraction)
            expdir = expdir_of(self.folder, fraction)
            settings: dict = {"config.downstream_expert.datarc.store": self.store}
            if fraction < 1:
                settings["config.downstream_expert.datarc.label_fraction"] = fraction
            stages.run(head, train("music_tagging", self.upstream, None, expdir, settings, *cache))
            if self.upstream == RULER and fraction == 1:
                stages.run("dev scores", evaluate(expdir, "dev", *cache))
            stages.run(scores, evaluate(expdir, "test", *cache))


@dataclass(frozen=True, eq=False)
class Collection:
    """Renditions of works, composed into `folder`, and the index of those that are searched."""

    folder: Path
    title = "a collection of covers"

    @property
    def index(self) -> Path:
        """Of the collection."""
        return self.folder / "covers.index"

    def carry_out(self, stages: Stages) -> None:
        """Render and embed what is missing."""
        stages.run("music", ["-m", "s3prl_pemr.first_look.cover_music", str(self.folder)])
        command = ["-m", "s3prl_pemr", "covers", "embed", str(self.folder / COLLECTION), str(self.index)]
        stages.run("embed", command)


@dataclass(frozen=True, eq=False)
class Pretraining:
    """So many steps of PEMR, stopped at half of them and resumed; `folder` is its."""

    steps: int
    store: Path
    folder: Path

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.steps // 2} steps of pretraining, and {self.steps - self.steps // 2}, resumed"

    @property
    def expdir(self) -> Path:
        """-p."""
        return self.folder / "run"

    def carry_out(self, stages: Stages) -> None:
        """Go on to the half, and to the end."""
        for steps in (self.steps // 2, self.steps):
            settings = {
                "config.pretrain_expert.datarc.store": self.store,
                **PRETRAIN_SETTINGS,
                "config.runner.save_step": self.steps // 2,
                "config.runner.total_steps": steps,
            }
            stages.run(f"{steps} steps", pretrain("pemr", self.expdir, settings))


def run_all(cells: Sequence[Runnable]) -> int:
    """Run them, one on each core; says of each how it ended. Returns the exit status."""
    jobs = max(1, min(len(cells), os.cpu_count() or 1))
    print(f"\n{len(cells)} runs, {jobs} at a time; their commands, and what those print, in their {LOG}:")
    failed = 0
    with Interruption() as stop, Progress(total=len(cells), desc="demo", unit="run") as bar:
        for cell, outcome in carry_out(cells, jobs, stop, lambda _: "", bar):
            failed += bool(outcome.failure)
            how = f"failed: {outcome.failure}" if outcome.failure else "done"
            bar.write(
                visible(f"{cell.title}: {how}, {outcome.seconds:.0f} s ({cell.folder / LOG})"), sys.stdout
            )
        if stop.signal_number():
            print("interrupted: the same command again goes on", file=sys.stderr)
            return stop.exit_status()
    if failed:
        print(f"{failed} of {len(cells)} runs failed; the same command tries them again", file=sys.stderr)
    return 1 if failed else 0
