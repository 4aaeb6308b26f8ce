"""What has to be so after any fault: the same command goes on, to the end of an undisturbed run."""

from commands import Case
from forked import run
from pretraining_runs import equal

LEFT = ("*.partial", "*.tmp", "*.replaced", "*.new")


def difference(state: dict, expected: dict) -> list[str]:
    """Files that are missing, too many, or have another content."""
    changed = {name for name in set(state) & set(expected) if not equal(state[name], expected[name])}
    return sorted(set(state) ^ set(expected) | changed)


def trouble(case: Case, folder, expected: dict) -> str | None:
    """Runs the command that goes on; what is wrong with its end, None if nothing is."""
    again = run(case.again, folder)
    if again.status != 0:
        return f"goes on with status {again.status}: {again.printed[-1500:]}"
    if odd := difference(case.state(folder), expected):
        return f"is another run at its end: {odd}"
    left = [path.name for pattern in LEFT for path in folder.rglob(pattern)]
    return f"leaves {left}" if left else None
