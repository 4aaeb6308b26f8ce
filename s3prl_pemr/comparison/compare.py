"""Upstreams, methods and heads side by side: from a plan to a report with intervals.

A plan names rows, tasks, seeds and a reference row. Each cell is run as a user would: pretraining, s3prl's
own loop, scores. Every run's folder stays; the same command again does what is missing. A cell that fails is
shown as failed, the others go on. Out come report.html, report.md and results.tsv.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from s3prl_pemr.launch.outputs import check_folder
from s3prl_pemr.report.printable import visible
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.interruption import Interruption
from s3prl_pemr.safety.sole_writer import sole_writer
from s3prl_pemr.safety.whole_file import remove_leftovers, write_whole

from .boards import look_up_boards
from .cells import HeadCell, Place, PretrainingCell, cells_of
from .corpus import store_of
from .map_cell import MapCell, map_cells
from .plan import Plan
from .plan_file import read_plan, shipped_plans
from .schedule import LOG, Outcome, carry_out

Cell = HeadCell | PretrainingCell | MapCell

HELP = "upstreams, methods and heads side by side, from a plan to a report with intervals"
EXAMPLE = "s3prl-pemr compare table6_demo --out table6 --jobs 2"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    names = ", ".join(shipped_plans())
    add("plan", metavar="PLAN", help=f"a yaml file, or the name of one that comes along: {names}")
    add("--out", metavar="FOLDER", type=Path, help="where everything goes; default: the plan's name")
    add("--jobs", metavar="N", type=int, default=1, help="cells at a time, a GPU each; default 1")
    add("--mteb", metavar="TASKS", default="", help="score the rows on tasks of mteb too: names with commas")
    add("-o", "--override", metavar="K=V,,K=V", default="", help="over the plan: stores.music=STORE")


def run(args: argparse.Namespace) -> int:
    """Carry out what is missing, and write the report. Returns the exit status: 1 where a cell failed."""
    plan = read_plan(args.plan, args.override)
    for line in look_up_boards(plan, [name for name in args.mteb.split(",") if name]):
        print(visible(line), file=sys.stderr)
    if args.jobs < 1:
        raise ValueError(f"--jobs {args.jobs}: at least 1")
    folder = args.out or Path(Path(args.plan).stem)
    check_folder(folder, "--out")
    with sole_writer(folder, remedy="choose another --out"):
        remove_leftovers(folder)
        return carry_out_plan(plan, place_of(plan, folder), args.jobs)


def place_of(plan: Plan, folder: Path) -> Place:
    """Where the plan's runs and stores lie; a demo corpus is composed first. Raises ValueError (one line)."""
    return Place(folder, {name: store_of(where, folder) for name, where in plan.stores.items()})


def carry_out_plan(plan: Plan, place: Place, jobs: int) -> int:
    """Run what is missing, write and print the report. Returns the exit status."""
    by_seed = {seed: cells_of(plan, place, seed) for seed in plan.seeds}
    maps = map_cells(plan, place, {run.name: run for run in by_seed[plan.seeds[0]][0]})
    total = sum(len(runs) + len(heads) for runs, heads in by_seed.values()) + len(maps)
    ended: dict[Cell, Outcome] = {}

    def blocked(cell: Cell) -> str:
        run = None if isinstance(cell, PretrainingCell) else cell.pretraining
        failure = ended[run].failure if run and run in ended else ""
        return f"{run.title}: {failure}" if failure else ""

    phases: list[Sequence[Cell]] = [*(part for parts in by_seed.values() for part in parts), maps]
    print(visible(f"{total} cells in {place.folder}, what each prints in its {LOG}"), flush=True)
    with Interruption() as stop, Progress(total=total, desc="compare", unit="cell") as bar:
        for cells in phases:
            for cell, outcome in carry_out(cells, jobs, stop, blocked, bar):
                ended[cell] = outcome
                how = f"failed: {outcome.failure} ({cell.folder / LOG})" if outcome.failure else "done"
                bar.write(visible(f"{cell.title}: {how}, {outcome.seconds:.0f} s"), file=sys.stdout)
                if not isinstance(cell, PretrainingCell):
                    _write(plan, place.folder, by_seed, ended)  # so far: worth a look in a long run
        if stop.signal_number():
            line = f"interrupted: {len(ended)} of {total} cells are done; the same command again goes on"
            print(line, file=sys.stderr)
            return stop.exit_status()
    failed = [cell for cell, outcome in ended.items() if outcome.failure]
    print(f"\n{(place.folder / 'report.md').read_text(encoding='utf-8')}")
    if failed:
        print(f"{len(failed)} of {total} cells failed; the same command tries them again", file=sys.stderr)
    print(visible(f"saved to {place.folder}: report.html, report.md, results.tsv"))
    return 1 if failed else 0


def _write(plan: Plan, folder: Path, by_seed: dict, ended: dict[Cell, Outcome]) -> None:
    from .outcome.maps import maps_section
    from .outcome.page import page
    from .outcome.results import sections
    from .outcome.tables import markdown, verdicts, write_results

    heads = [cell for _, cells in by_seed.values() for cell in cells if cell in ended]
    seconds: dict[str, float] = defaultdict(float)
    for cell, outcome in ended.items():
        if isinstance(cell, PretrainingCell):
            seconds[cell.name] += outcome.seconds
    pairs = [(task, row.name) for task in plan.tasks for row in plan.rows]
    order = {pair: number for number, pair in enumerate(pairs)}
    heads.sort(key=lambda cell: order[cell.task_name, cell.row.name])
    found = sections({cell: ended[cell] for cell in heads}, seconds, plan.reference)
    about = " ".join(plan.about.split())
    lines = [line for section in found for line in verdicts(section)]
    text = f"# {plan.title}\n\n{about}\n\n{markdown(found)}\n" + "".join(f"- {line}\n" for line in lines)
    write_whole(folder / "report.md", text.encode())
    maps = maps_section({cell: how for cell, how in ended.items() if isinstance(cell, MapCell)})
    whole = page(plan.title, about, found, maps, dataclasses.asdict(plan))
    write_whole(folder / "report.html", whole.encode())
    write_results(folder / "results.tsv", found)
