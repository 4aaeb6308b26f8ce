"""`make compare-demo`: pretraining methods on the demo corpus, at equal steps and at equal seconds.

A step of one method costs more than a step of another. So each is pretrained twice: for the same number of
steps, and for as many as fit into the same seconds at its own pace, which the first run of its first seed
shows. A run knows its length from the start, so it can go on where it was stopped.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from s3prl_pemr.launch.pretrain_arguments import DEFAULT_SEED
from s3prl_pemr.methods import METHODS
from s3prl_pemr.report.files import write_png
from s3prl_pemr.safety.whole_file import write_whole

from .cells import FLOOR, Cell
from .corpus import STAGES as CORPUS_STAGES
from .corpus import corpus_and_store
from .methods_table import BUDGETS, Outcome, Results, methods_table
from .stages import Stages
from .step_times import step_seconds, steps_within, warm_step_seconds

HELP = "pretraining methods on the demo corpus, at equal steps and at equal seconds, by music tagging"
EXAMPLE = "s3prl-pemr compare DEMO --methods pemr,simclr --seeds 3"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add("folder", metavar="DEMO", type=Path, help="folder of `make demo`, or a new one")
    add("--methods", metavar="A,B", default=",".join(METHODS), help="default: %(default)s")
    add("--seeds", metavar="N", type=int, default=1, help=f"how many, from {DEFAULT_SEED} on; default 1")
    add("--steps", metavar="N", type=int, default=30, help="of the equal steps; default 30")
    add("--seconds", metavar="S", type=float, default=120.0, help="of the equal seconds; default 120")


def run(args: argparse.Namespace) -> int:
    """Carry out what is missing in the folder and print the table. Returns the exit status."""
    from .methods_figure import methods_figure  # matplotlib: --help does without

    names = _chosen(args)
    folder = args.folder / "methods"
    _, store = corpus_and_store(Stages(args.folder, CORPUS_STAGES), args.folder)
    comparison = _Comparison(folder, store, args.folder / "features", args.seeds * (1 + 2 * len(names)))
    results: Results = {}
    for seed in range(DEFAULT_SEED, DEFAULT_SEED + args.seeds):
        for name in (FLOOR, *names):
            if name == FLOOR:
                pair = (comparison.outcome(FLOOR, seed, 0),) * len(BUDGETS)
            else:
                pair = comparison.both_budgets(name, seed, args.steps, args.seconds)
            results.setdefault(name, []).append(pair)
            text = f"{methods_table(results)}\n{_caption(args, pair[0].row.clips)}\n"
            write_whole(folder / "table.md", text.encode())  # so far: worth a look in an hour's run
    write_png(folder / "comparison.png", methods_figure(results))
    print(f"\n{text}\nkept in {folder / 'table.md'}, drawn in {folder / 'comparison.png'}")
    return 0


class _Comparison:
    """Runs cells and counts them."""

    def __init__(self, folder: Path, store: Path, features: Path, total: int):
        self.folder, self.store, self.features = folder, store, features
        self.total, self.number = total, 0

    def both_budgets(self, method: str, seed: int, steps: int, seconds: float) -> tuple[Outcome, Outcome]:
        at_steps = self.outcome(method, seed, steps)
        first = Cell(
            self.folder, method, DEFAULT_SEED, steps
        )  # one pace for all seeds: they are of equal length
        pace = warm_step_seconds(step_seconds(first.pretrained))
        print(f"{method}: {pace:.2f} s a step")
        return at_steps, self.outcome(method, seed, steps_within(seconds, pace))

    def outcome(self, method: str, seed: int, steps: int) -> Outcome:
        self.number += 1
        print(f"\n{self.number}/{self.total}: {method}, seed {seed}, {steps} steps", flush=True)
        cell = Cell(self.folder, method, seed, steps)
        return Outcome(steps, cell.run(self.store, self.features))


def _chosen(args: argparse.Namespace) -> list[str]:
    """Methods in the order of METHODS, each once.

    Raises:
        ValueError: one line: unknown ones, or numbers that make no sense.
    """
    wanted = {name.strip() for name in args.methods.split(",")} - {""}
    unknown = sorted(wanted - set(METHODS))
    if unknown or not wanted:
        raise ValueError(
            f"--methods {args.methods}: {unknown or 'none named'}; there are {', '.join(METHODS)}"
        )
    if args.seeds < 1:
        raise ValueError(f"--seeds {args.seeds}: at least 1")
    if args.steps < 2:
        raise ValueError(f"--steps {args.steps}: at least 2, the first one does not tell the pace")
    if not (args.seconds > 0 and math.isfinite(args.seconds)):
        raise ValueError(f"--seconds {args.seconds}: more than 0")
    return [name for name in METHODS if name in wanted]


def _caption(args: argparse.Namespace, clips: int) -> str:
    return (
        f"{args.steps} steps, and the steps that fit into {args.seconds:g} s at each method's own pace; "
        f"seconds: what all pretraining steps took. Scores of {clips} test clips: of one seed with the "
        f"95 % interval over songs, of several ± their standard deviation. `{FLOOR}`: no pretraining."
    )
