"""A plan's tasks of mteb: those that --mteb adds, and what mteb says of all of them."""

from __future__ import annotations

from collections.abc import Sequence

from s3prl_pemr.boards.tasks import find_task

from .plan import BOARD, Plan, Task


def look_up_boards(plan: Plan, names: Sequence[str]) -> list[str]:
    """Add tasks to a plan, for all rows that mteb can score, and set the splits of each.

    Args:
        names: of mteb, or FILE.py:CLASS.

    Returns: what to tell the user: the rows that are left out.

    Raises:
        ValueError: one line: no such task, not of sound alone, mteb is not installed, or a name is taken.
    """
    for board in names:
        name = find_task(board).metadata.name
        if name in plan.tasks:
            raise ValueError(f"--mteb {board}: the plan has a task {name} already")
        plan.tasks[name] = task = Task(task=BOARD, board=board)
        for row in plan.rows:
            if row.tasks and row.fits(task):
                row.tasks.append(name)
    boards = [task for task in plan.tasks.values() if task.task == BOARD]
    for task in boards:
        task.splits = list(find_task(task.board).eval_splits)
    left_out = [row.name for row in plan.rows if boards and row.trainable]
    return [f"mteb hears frozen upstreams: without {', '.join(left_out)}"] if left_out else []
