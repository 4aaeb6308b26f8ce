"""The toolkit's sections of a downstream config, checked as strictly as ours."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from types import ModuleType
from typing import Any

from s3prl import optimizers, schedulers
from torch import optim

from s3prl_pemr.settings import parse

from .plateau import NAME as PLATEAU

SECTIONS = ("runner", "optimizer", "scheduler", "specaug", "downstream_expert")
OF_TORCH = "TorchOptim"


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


def check_config(config: dict[str, Any], known_task: bool) -> None:
    """Refuse what the loop would not read, before it has trained for hours without it.

    Args:
        config: of a run, with -o in it.
        known_task: whether the task is one of ours. The toolkit's own are handed the whole config, and may
            read what we do not know of: of theirs a key is refused only if it looks like a slip.

    Raises:
        ValueError: one line: names the key, and what may have been meant.
    """
    _refuse_unknown("the config", config, SECTIONS, known_task)
    runner = dict(config.get("runner") or {})
    names = [entry.name for entry in fields(RunnerSection)]
    _refuse_unknown("runner", runner, names, known_task)
    if known_task:
        parse(RunnerSection, runner, "runner of the config")
    missing = [name for name in names[:8] if name not in runner]
    if missing:
        raise ValueError(f"runner of the config: {', '.join(missing)} missing; take a yaml of the task's")
    _check_call("optimizer", config.get("optimizer") or {}, optimizers)
    scheduler = config.get("scheduler") or {}
    if scheduler.get("name") == PLATEAU:
        known = ["metric", *list(inspect.signature(optim.lr_scheduler.ReduceLROnPlateau).parameters)[1:]]
        _refuse_unknown(f"scheduler {PLATEAU}", set(scheduler) - {"name"}, known, strict=True)
    elif scheduler:
        _check_call("scheduler", scheduler, schedulers)


def _refuse_unknown(where: str, given: Collection[str], known: Collection[str], strict: bool) -> None:
    for key in given:
        if key in known:
            continue
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.6 if strict else 0.8)
        if near or strict:
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ValueError(f"{where}: unknown key {key!r}; {hint}")


def _check_call(section: str, settings: dict[str, Any], module: ModuleType) -> None:
    """`name` is one of the module's get_NAME, and takes the other keys."""
    functions = {name[4:]: call for name, call in vars(module).items() if name.startswith("get_")}
    known = sorted(set(functions) - {"optimizer", "scheduler", "grouped_parameters"})
    name = settings.get("name")
    if name not in known:
        raise ValueError(f"{section}: name {name!r} is not one of {', '.join(known)}")
    call, given = functions[name], set(settings) - {"name"}
    if name == OF_TORCH:
        call = getattr(optim, str(settings.get("torch_optim_name")), None)
        if call is None:
            raise ValueError(f"{section}: torch.optim has no {settings.get('torch_optim_name')!r}")
        given -= {"torch_optim_name", "total_steps"}
    takes = inspect.signature(call).parameters
    keys = [key for key, parameter in takes.items() if parameter.kind is not parameter.VAR_KEYWORD]
    open_ended = len(keys) < len(takes)  # complete_optimizer_config hands what is more to torch's own
    if not open_ended or name in ("Adam", "AdamW"):
        known_keys = keys if not open_ended else list(inspect.signature(getattr(optim, name)).parameters)
        _refuse_unknown(f"{section} {name}", sorted(given), known_keys, strict=True)
