"""The runs of a plan: a pretraining or a head from one seed, as the commands that a user types."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s3prl.pretrain.training import checkpoint_files

from .launchers import board, evaluate, pretrain, train
from .plan import BOARD, Plan, Pretraining, Row, Task
from .stages import Stages
from .step_times import step_seconds, steps_within, warm_step_seconds

PACE_STEPS = 8  # of the run that tells the pace


@dataclass(frozen=True)
class Place:
    """Where a comparison's runs lie, and its stores by name."""

    folder: Path
    stores: dict[str, Path]

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        """Settings in which `@NAME` is the folder of a store."""
        return {
            key: self.stores[value[1:]] if isinstance(value, str) and value[:1] == "@" else value
            for key, value in given.items()
        }


@dataclass(frozen=True, eq=False)
class PretrainingCell:
    """One pretraining from one seed."""

    name: str
    run: Pretraining
    seed: int
    place: Place

    @property
    def title(self) -> str:
        """For people."""
        return f"pretraining {self.name}, seed {self.seed}"

    @property
    def folder(self) -> Path:
        """Of this cell alone: its log, stages and runs."""
        return self.place.folder / "pretraining" / f"{self.name}-seed{self.seed}"

    def checkpoint(self, milestone: int = 0) -> Path:
        """What it left: the last checkpoint, or that of an epoch. Raises ValueError where there is none."""
        found = self.folder / "run" / f"epoch-{milestone}.ckpt"
        if milestone and not found.is_file():
            raise ValueError(f"{found}: not there; does keep_every_epochs leave it?")
        return found if milestone else checkpoint_files.latest(self.folder / "run")

    def carry_out(self, stages: Stages) -> None:
        """Run what is missing."""
        steps = self.run.steps
        if self.run.seconds:
            expdir = self.folder / "pace"
            stages.run("pace", self._command(expdir, {**_length(PACE_STEPS), "config.runner.log_step": 1}))
            steps = steps_within(self.run.seconds, warm_step_seconds(step_seconds(expdir)))
        stages.run("pretrain", self._command(self.folder / "run", _length(steps) if steps else {}))

    def _command(self, expdir: Path, length: dict[str, Any]) -> list[str]:
        store = {"config.pretrain_expert.datarc.store": self.place.stores[self.run.store]}
        settings = {**store, **self.place.settings(self.run.settings), **length}
        flags = ["--seed", str(self.seed), *(["--init", self.run.init] if self.run.init else [])]
        flags += ["--init_parts", *self.run.init_parts] if self.run.init_parts else []
        return pretrain(self.run.method, expdir, settings, *flags, config=self.run.config)


def upstream_of(row: Row, pretraining: PretrainingCell | None) -> str:
    """-u."""
    return row.upstream or f"{pretraining.run.method}_local"


def checkpoint_of(row: Row, pretraining: PretrainingCell | None) -> Path | None:
    """-k."""
    if pretraining:
        return pretraining.checkpoint(row.milestone)
    return Path(row.checkpoint) if row.checkpoint else None


@dataclass(frozen=True, eq=False)
class HeadCell:
    """A row's head for one task from one seed."""

    row: Row
    task_name: str
    task: Task
    seed: int
    place: Place
    pretraining: PretrainingCell | None

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.task_name}: {self.row.name}, seed {self.seed}"

    @property
    def folder(self) -> Path:
        """Of this cell alone."""
        return self.place.folder / "heads" / self.task_name / f"{self.row.folder}-seed{self.seed}"

    @property
    def expdir(self) -> Path:
        """-p of the head, where its scores are."""
        return self.folder / "head"

    @property
    def upstream(self) -> str:
        """-u."""
        return upstream_of(self.row, self.pretraining)

    @property
    def checkpoint(self) -> Path | None:
        """-k."""
        return checkpoint_of(self.row, self.pretraining)

    def carry_out(self, stages: Stages) -> None:
        """Run what is missing: training, then the scores of each split; mteb trains its own heads."""
        if self.task.task == BOARD:
            stages.run("mteb", self._board_arguments())
            return
        settings = {"config.downstream_expert.datarc.store": self.place.stores[self.task.store]}
        settings |= self.place.settings({**self.task.settings, **self.row.settings})
        flags = ["--seed", str(self.seed)]
        if self.task.preset:
            flags += ["--preset", self.task.preset]
        if self.row.layer is not None:
            flags += ["-l", str(self.row.layer)]
        cache = []
        if self.row.trainable:
            flags.append("-f")
        elif self.task.task == "music_tagging":  # rows with one upstream share its features
            cache = ["--feature_cache", str(self.place.folder / "features")]
        command = train(
            *(self.task.task, self.upstream, self.checkpoint, self.expdir, settings, *flags, *cache),
            config=self.task.config,
        )
        stages.run("head", command)
        for split in self.task.splits:
            stages.run(f"scores {split}", evaluate(self.expdir, split, *cache))

    def _board_arguments(self) -> list[str]:
        """A task's settings are of both kinds of model: `aligned` of covers, the others of upstreams."""
        settings = dict(self.task.settings)
        aligned = {"aligned": settings.pop("aligned")} if "aligned" in settings else {}
        if self.row.cover_model:
            return board(self.task.board, self.expdir, "", None, self.row.cover_model, aligned)
        if self.row.layer is not None:
            settings["layer"] = self.row.layer
        return board(self.task.board, self.expdir, self.upstream, self.checkpoint, "", settings)


def cells_of(plan: Plan, place: Place, seed: int) -> tuple[list[PretrainingCell], list[HeadCell]]:
    """What a seed needs: the pretrainings that rows name, and a head for each row and task.

    mteb draws from a seed of its own: what no seed of the plan has made is scored with the first one alone.
    """
    wanted = dict.fromkeys(row.pretrained for row in plan.rows if row.pretrained)
    runs = {name: PretrainingCell(name, plan.pretrainings[name], seed, place) for name in wanted}
    heads = [
        HeadCell(row, name, task, seed, place, runs.get(row.pretrained))
        for name, task in plan.tasks.items()
        for row in plan.rows
        if (name in row.tasks or not row.tasks and row.fits(task))
        and (task.task != BOARD or row.pretrained or seed == plan.seeds[0])
    ]
    return list(runs.values()), heads


def _length(steps: int) -> dict[str, Any]:
    return {"config.runner.total_steps": steps, "config.runner.n_epochs": -1}
