"""What `s3prl-pemr compare` is to find out: a yaml of rows, tasks, seeds and a reference."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

BOARD = "mteb"
TASKS = ("music_tagging", "cover_song", BOARD)
BOARD_SETTINGS = ("layer", "pool", "piece", "aligned")  # flags of `s3prl-pemr mteb`


@dataclass
class Pretraining:
    """A run of `pretrain`, once per seed; rows name it.

    Attributes:
        method: -u.
        store: a name in `stores`.
        config: -c; '' takes the method's own, the paper's.
        steps: of the run; 0: `seconds` or the config decide.
        seconds: as many steps as fit, at the pace of a short run of the same settings.
        init: --init.
        init_parts: --init_parts; empty: all that fit.
        settings: what its -o sets, dotted names to values; `@NAME` is the folder of a store.
    """

    method: str = ""
    store: str = ""
    config: str = ""
    steps: int = 0
    seconds: float = 0.0
    init: str = ""
    init_parts: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        if self.steps and self.seconds:
            raise ValueError("a pretraining has steps or seconds, not both")
        if self.steps < 0 or self.seconds < 0:
            raise ValueError("steps and seconds must be at least 0")
        if self.init_parts and not self.init:
            raise ValueError("init_parts are parts of `init`, which is missing")


@dataclass
class Row:
    """A line of the report.

    Attributes:
        name: in the report; also of folders.
        upstream: -u; '' where `pretrained` says it.
        checkpoint: -k.
        pretrained: a name in `pretrainings`, instead of a checkpoint.
        cover_model: instead of an upstream: ready, ftm2d or dev-best.ckpt, for tasks of mteb alone.
        milestone: its epoch-N.ckpt instead of its last checkpoint; 0: the last.
        trainable: -f.
        layer: -l, of the hidden states; none: all, summed with trained weights (of mteb and maps: the last).
        settings: what -o sets for this row alone, over the task's.
        tasks: names in `tasks`; empty: all.
        paper: what the paper has, by task and metric; shown where the task's data set is the paper's.
    """

    name: str = ""
    upstream: str = ""
    checkpoint: str = ""
    pretrained: str = ""
    cover_model: str = ""
    milestone: int = 0
    trainable: bool = False
    layer: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    tasks: list[str] = field(default_factory=list)
    paper: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The name without what a folder's name should not have."""
        return re.sub(r"[^\w.+-]+", "-", self.name).strip("-")

    def fits(self, task: Task) -> bool:
        """Whether a task can score it: mteb hears frozen upstreams, and mteb alone takes a cover model."""
        return not self.trainable if task.task == BOARD else not self.cover_model


@dataclass
class Task:
    """A way to score.

    Attributes:
        task: -d, one of TASKS.
        store: a name in `stores`; mteb has its own data.
        board: the name of mteb's task, or FILE.py:CLASS.
        config: -c; '' takes the task's own, the paper's.
        preset: --preset.
        settings: what -o sets, dotted names to values; of mteb layer, pool and
            piece, for upstreams, and aligned, for cover models.
        splits: that are scored, each a section of the report; of mteb those that it scores.
        paper_clips: by split, how many clips or tracks the paper scores: with another number its figures are
            not shown.
    """

    task: str = "music_tagging"
    store: str = ""
    board: str = ""
    config: str = ""
    preset: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    splits: list[str] = field(default_factory=lambda: ["test"])
    paper_clips: dict[str, int] = field(default_factory=dict)


@dataclass
class Maps:
    """Where the clips of a store lie by what rows hear, side by side in the report.

    Attributes:
        store: a name in `stores`; '' for no maps.
        split: of the store; '' for all its clips.
        rows: names of rows, whose upstreams are asked, those of the first seed.
        clips, sounds: at most as many clips are drawn, and can be heard.
    """

    store: str = ""
    split: str = "test"
    rows: list[str] = field(default_factory=list)
    clips: int = 300
    sounds: int = 100

    def __post_init__(self):
        if bool(self.store) != bool(self.rows):
            raise ValueError("maps have a store and rows, or neither")
        if self.clips < 5 or self.sounds < 0:
            raise ValueError("maps: clips must be at least 5, sounds at least 0")


@dataclass
class Plan:
    """The whole file.

    Attributes:
        title, about: of the report; about says what is asked, and how long it takes.
        reference: the row that the others are compared with, paired.
        seeds: of pretraining and heads.
        stores: folders by name; `demo:PART` is a part of the demo corpus, composed where it is not there.
    """

    title: str = ""
    about: str = ""
    reference: str = ""
    seeds: list[int] = field(default_factory=lambda: [1337])
    stores: dict[str, str] = field(default_factory=dict)
    pretrainings: dict[str, Pretraining] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    maps: Maps = field(default_factory=Maps)

    def __post_init__(self):
        names = [row.name for row in self.rows]
        if not (names and self.tasks and self.seeds):
            raise ValueError("a plan has rows, tasks and seeds")
        if len({row.folder for row in self.rows}) < len(names) or not all(row.folder for row in self.rows):
            raise ValueError("every row has a name of its own, also without what folders' names do not have")
        _among("reference", [self.reference], names)
        for name, run in self.pretrainings.items():
            _among(f"store of pretraining {name}", [run.store], self.stores)
        for name, task in self.tasks.items():
            _among(f"task of {name}", [task.task], TASKS)
            if (task.task == BOARD) != bool(task.board):
                raise ValueError(
                    f"task {name}: `board` names a task of {BOARD}, which has nothing else to name"
                )
            if task.task == BOARD:
                _among(f"settings of task {name}", list(task.settings), BOARD_SETTINGS)
            else:
                _among(f"store of task {name}", [task.store], self.stores)
        for row in self.rows:
            _among(f"tasks of row {row.name}", row.tasks, self.tasks)
            if row.pretrained:
                _among(f"pretrained of row {row.name}", [row.pretrained], self.pretrainings)
            elif not (row.upstream or row.cover_model):
                raise ValueError(f"row {row.name}: has neither upstream nor pretrained nor cover_model")
            odd = [name for name in row.tasks if not row.fits(self.tasks[name])]
            if odd:
                why = "trainable, and mteb hears" if row.trainable else "a cover model, and all but mteb hear"
                raise ValueError(f"row {row.name}: is {why} frozen upstreams; not of task {odd[0]}")
        if self.maps.store:
            _among("store of maps", [self.maps.store], self.stores)
            heard = [row.name for row in self.rows if not (row.trainable or row.cover_model)]
            _among("rows of maps", self.maps.rows, heard)
        empty = sorted(name for name, folder in self.stores.items() if not folder)
        if empty:
            raise ValueError(f"stores.{empty[0]} is empty: name the folder with -o stores.{empty[0]}=STORE")


def _among(what: str, given: list[str], known) -> None:
    odd = [name for name in given if name not in known]
    if odd:
        raise ValueError(f"{what}: {odd[0]!r} is not one of {', '.join(known) or '(none)'}")
