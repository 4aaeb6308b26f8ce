"""Every request to the disk fails once, for every request of a small run of each command.

SQLite's method (sqlite.org/testing.html): the Nth fails as an error, as a disk that is full from then on, and
as a kill; then the same command goes on without a fault, and the end is that of an undisturbed run.
"""

import pytest
from afterwards import difference, trouble
from commands import begin, cases
from faults import FULL, KILL, ONCE, Faults
from forked import run

TRAINING = ("pretrain", "tagging", "cover_song")
REPORTS = ("scan", "report", "compare")  # written again from what is there
NAMES = ("prepare", "prepare_changed", *TRAINING, "covers_embed", "embed", "embed_table", *REPORTS)
EACH = {ONCE: 1, KILL: 1, FULL: 3}  # a disk that is full from the next request on is much the same


def wrong(outcome, kind, case, folder, expected):
    """What is wrong with how the disturbed command ended."""
    if kind == KILL:
        return None if outcome.status == -9 else f"status {outcome.status} of a kill"
    if outcome.status == 0:  # nothing that counts was lost
        return None if not difference(case.state(folder), expected) else "says that all is well"
    if outcome.status not in (1, 130) or "Traceback" in outcome.printed:
        return f"status {outcome.status}: {outcome.printed[-1500:]}"
    last = outcome.printed.strip().splitlines()[-1]
    return None if last.startswith(("error: ", "prepare: ")) else f"its last line is {last!r}"


@pytest.mark.torture
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [ONCE, FULL, KILL])
def test_every_request_fails_once(inputs, tmp_path, name, kind, report):
    case, folder = cases(inputs)[name], tmp_path / name
    begin(case, folder, inputs)
    whole = run(case.words, folder, Faults(folder / "run"))
    assert whole.status == 0, whole.printed
    expected, faults = case.state(folder), []
    for at in range(1, len(whole.requests) + 1, EACH[kind]):
        begin(case, folder, inputs)
        broken = run(case.words, folder, Faults(folder / "run", at, kind))
        why = wrong(broken, kind, case, folder, expected)
        why = trouble(case, folder, expected) or why
        if why:
            faults.append(f"{at} ({broken.requests[-1:] or whole.requests[at - 1 : at]}): {why}")
    tried = -(-len(whole.requests) // EACH[kind])
    report(f"{name}, {kind}: {tried} of {len(whole.requests)} requests, {len(faults)} faults")
    assert not faults, "\n".join(faults)
