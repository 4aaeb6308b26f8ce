"""The toolkit's sections of a downstream config, checked as strictly as ours."""

from __future__ import annotations

import difflib
import inspect
import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, fields
from types import ModuleType
from typing import Any

import torch
from s3prl import optimizers, schedulers
from torch import optim

from s3prl_pemr.settings import parse

from .plateau import NAME as PLATEAU

SECTIONS = ("runner", "optimizer", "scheduler", "specaug", "downstream_expert")
OF_TORCH = "TorchOptim"
BY_LAMB = ("AdamW_with_schedule", "Lamb_with_schedule")  # s3prl/optimizers.py:53, 64 hand the rest on to it
SET_BY_THE_TOOLKIT = {
    "params", "model_params", "total_steps", "optimizer", "num_training_steps", "warmup", "t_total", "adam",
    "correct_bias",
}  # fmt: skip

logger = logging.getLogger(__name__)


@dataclass
class RunnerSection:
    """Every key that s3prl/downstream/runner.py reads of `runner`."""

    total_steps: int = 0
    gradient_clipping: float = 0.0
    gradient_accumulate_steps: int = 1
    log_step: int = 1
    eval_step: int = 1
    save_step: int = 1
    max_keep: int = 1
    eval_dataloaders: list[Any] = field(default_factory=list)
    train_dataloader: str = "train"
    evaluate_ratio: float = 1.0
    fp16: bool = False

    def __post_init__(self):
        counts = (
            "total_steps",
            "gradient_accumulate_steps",
            "log_step",
            "eval_step",
            "save_step",
            "max_keep",
        )
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")


def check_config(config: dict[str, Any], known_task: bool, checkpoint: str | None = None) -> None:
    """Refuse what the loop would not read, before it has trained for hours without it.

    Args:
        config: of a run, with -o in it.
        known_task: whether the task is one of ours. The toolkit's own are handed the whole config, and may
            read what we do not know of: of theirs a key is refused only if it looks like a slip.
        checkpoint: that the run goes on from. What is wrong with its own config, of a version that read it
            without a word, is warned of: the checkpoint has to stay of use.

    Raises:
        ValueError: one line: names the key, and what may have been meant.
    """
    wrong = list(_faults(config, known_task))
    if wrong and checkpoint:
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True)["Config"]
        old = set(_faults(saved, known_task))
        if old:
            logger.warning("%s: %s", checkpoint, "; ".join(sorted(old)))
        wrong = [fault for fault in wrong if fault not in old]
    if wrong:
        raise ValueError("; ".join(wrong))


def _faults(config: dict[str, Any], known_task: bool) -> Iterator[str]:
    yield from _unknown("the config", config, SECTIONS, known_task)
    runner = dict(config.get("runner") or {})
    names = [entry.name for entry in fields(RunnerSection)]
    yield from _unknown("runner", runner, names, known_task)
    if known_task:
        try:
            parse(
                RunnerSection,
                {name: runner[name] for name in names if name in runner},
                "runner of the config",
            )
        except ValueError as error:
            yield str(error)
    missing = [name for name in names[:8] if name not in runner]
    if missing:
        yield f"runner of the config: {', '.join(missing)} missing; take a yaml of the task's"
    yield from optimizer_faults(config)
    if isinstance(config.get("specaug"), dict):
        yield from _specaug_faults(config["specaug"])
    scheduler = config.get("scheduler") or {}
    if scheduler.get("name") == PLATEAU:
        known = ["metric", *list(inspect.signature(optim.lr_scheduler.ReduceLROnPlateau).parameters)[1:]]
        yield from _unknown(f"scheduler {PLATEAU}", set(scheduler) - {"name"}, known, strict=True)
    elif scheduler:
        yield from _call_faults("scheduler", scheduler, schedulers)


def _specaug_faults(settings: dict[str, Any]) -> Iterator[str]:
    """All is handed to the class (s3prl/downstream/runner.py:257)."""
    try:
        from s3prl.downstream.specaug import SpecAug  # imports pandas, which s3prl does not install
    except ModuleNotFoundError as error:
        yield f"specaug: the toolkit's needs {error.name}: pip install {error.name}"
        return
    yield from _unknown("specaug", settings, list(inspect.signature(SpecAug).parameters), strict=True)


def optimizer_faults(config: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the section `optimizer` of any config of the toolkit's, a line each."""
    yield from _call_faults("optimizer", config.get("optimizer") or {}, optimizers)


def _unknown(where: str, given: Collection[str], known: Collection[str], strict: bool) -> Iterator[str]:
    for key in given:
        if key in known:
            continue
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.6 if strict else 0.8)
        if near or strict:
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            yield f"{where}: unknown key {key!r}; {hint}"


def _call_faults(section: str, settings: dict[str, Any], module: ModuleType) -> Iterator[str]:
    """`name` is one of the module's get_NAME, and takes the other keys."""
    functions = {name[4:]: call for name, call in vars(module).items() if name.startswith("get_")}
    known = sorted(set(functions) - {"optimizer", "scheduler", "grouped_parameters"})
    name = settings.get("name")
    if name not in known:
        own = [PLATEAU] if section == "scheduler" else []
        yield f"{section}: name {name!r} is not one of {', '.join([*known, *own])}"
        return
    call, given = functions[name], set(settings) - {"name"}
    if name == OF_TORCH:
        call = getattr(optim, str(settings.get("torch_optim_name")), None)
        if call is None:
            yield f"{section}: torch.optim has no {settings.get('torch_optim_name')!r}"
            return
        given -= {"torch_optim_name", "total_steps"}
    takes = inspect.signature(call).parameters
    keys = [key for key, parameter in takes.items() if parameter.kind is not parameter.VAR_KEYWORD]
    open_ended = len(keys) < len(takes)
    if open_ended and name in ("Adam", "AdamW"):
        # complete_optimizer_config hands the rest to torch's own
        keys = list(inspect.signature(getattr(optim, name)).parameters)
    elif open_ended and name in BY_LAMB:
        keys += inspect.signature(optimizers.Lamb).parameters
    keys = [key for key in keys if key not in SET_BY_THE_TOOLKIT]
    yield from _unknown(f"{section} {name}", sorted(given), keys, strict=True)


def tell_of_a_part(config: dict, split: str, told: set[str]) -> None:
    """Say of a split, once, that only a part of it is scored; `told` holds those of which it was said."""
    ratio = float(config["runner"].get("evaluate_ratio", 1))
    if ratio < 1 and split not in told:
        told.add(split)
        logger.warning(
            "%s: evaluate_ratio %g: scores are of the beginning of the split, that share of it; all of it "
            "with -o config.runner.evaluate_ratio=1",
            split, ratio,
        )  # fmt: skip
