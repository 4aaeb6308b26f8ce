"""A cell of `make compare-demo`: one method, pretrained for so many steps from one seed, and scored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml
from s3prl.pretrain.training import checkpoint_files

from s3prl_pemr.methods import default_settings
from s3prl_pemr.report.parameters import parameter_count
from s3prl_pemr.report.scores_table import Row, read_row

from .launchers import evaluate, pretrain, train
from .stages import Stages
from .step_times import step_seconds

FLOOR = "pemr_random"  # the encoder of most of them, not trained


@dataclass(frozen=True)
class Cell:
    """What decides a cell; two budgets that come to the same number of steps are the same cell.

    `methods` is the folder that all cells are in, `method` a name in METHODS, or FLOOR with `steps` 0.
    """

    methods: Path
    method: str
    seed: int
    steps: int

    @property
    def folder(self) -> Path:
        """Of the cell alone: a cell is found whatever else is compared with it, and removed by itself."""
        return self.methods / f"{self.method}-seed{self.seed}-steps{self.steps}"

    @property
    def pretrained(self) -> Path:
        """Experiment folder of the pretraining."""
        return self.folder / "pretrain"

    @property
    def upstream(self) -> str:
        """-u of the head."""
        return self.method if self.method == FLOOR else f"{self.method}_local"

    def run(self, store: Path, features: Path) -> Row:
        """Carry out what is missing; the scores of the test clips, and the seconds of pretraining.

        Args:
            store: with train, dev and test clips.
            features: folder of the feature cache.
        """
        stages, expdir = Stages(self.folder, 3 if self.steps else 2), self.folder / "head"
        checkpoint, seconds = None, 0.0
        if self.steps:
            stages.run("pretrain", pretrain(self.method, self.pretrained, self._settings(store), *self._seed))
            seconds = sum(step_seconds(self.pretrained))
            checkpoint = checkpoint_files.latest(self.pretrained)
        settings, cache = {"datarc.store": store}, ["--feature_cache", str(features)]
        head = train("music_tagging", self.upstream, checkpoint, expdir, settings, *self._seed, *cache)
        stages.run("head", head)
        stages.run("scores", evaluate(expdir, "test", *cache))
        size = parameter_count(self.upstream, checkpoint)
        return read_row(self.upstream, expdir / "scores.json", "test", size, seconds)

    @property
    def _seed(self) -> list[str]:
        return ["--seed", str(self.seed)]

    def _settings(self, store: Path) -> dict:
        """Over config_demo.yaml. Every step is logged: its time decides on the steps of equal seconds."""
        settings = {
            "pretrain_expert.datarc.store": store,
            "runner.total_steps": self.steps,
            "runner.log_step": 1,
        }
        own_runner = default_settings(self.method)[0]
        if own_runner != default_settings("pemr")[0]:  # its encoder wants crops of its own length
            own = yaml.safe_load(own_runner.read_text(encoding="utf-8"))
            settings["pretrain_expert.datarc.crop_samples"] = own["pretrain_expert"]["datarc"]["crop_samples"]
        return settings
