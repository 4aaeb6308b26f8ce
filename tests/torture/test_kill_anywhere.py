"""kill -9 and signals at random moments of a command, which then goes on to the end of an undisturbed run."""

import contextlib
import os
import random
import signal
import time

import pytest
from afterwards import trouble
from commands import begin, cases
from forked import finish, left_behind, run, start

NAMES = ("prepare", "prepare_changed", "prepare_workers", "pretrain", "pretrain_workers", "tagging")
NAMES += ("cover_song", "covers_embed", "covers_embed_workers", "embed")
KILLS = 30
STOPS = 10  # of each signal
SECONDS = 5  # for a signal to be obeyed


def disturbed(case, folder, number, after):
    """The command, sent a signal after so many seconds; how it ended, and how long it took from then on."""
    begun = time.monotonic()
    process = start(case.words, folder)
    time.sleep(after)
    sent = time.monotonic()
    with contextlib.suppress(ProcessLookupError):  # it has ended, or has no group of its own yet
        os.kill(process, number) if number == signal.SIGKILL else os.killpg(process, number)
    outcome = finish(process, folder, begun)
    return process, outcome, time.monotonic() - sent


@pytest.mark.torture
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_stopped_at_random_moments(inputs, tmp_path, name, number, report):
    case, folder = cases(inputs)[name], tmp_path / name
    begin(case, folder, inputs)
    whole = run(case.words, folder)
    assert whole.status == 0, whole.printed
    expected, faults, stopped = case.state(folder), [], 0
    rng = random.Random(f"{name} {number}")
    for _ in range(KILLS if number == signal.SIGKILL else STOPS):
        begin(case, folder, inputs)
        after = rng.uniform(0, whole.seconds)
        session, outcome, seconds = disturbed(case, folder, number, after)
        stopped += outcome.status != 0
        why = None
        heard = outcome.status in (0, 128 + number, -number) and seconds <= SECONDS
        if number != signal.SIGKILL and not heard:
            why = f"status {outcome.status} after {seconds:.1f} s: {outcome.printed[-800:]}"
        if workers := left_behind(session):
            why = f"leaves the processes {workers}"
        why = trouble(case, folder, expected) or why
        if why:
            faults.append(f"after {after:.2f} of {whole.seconds:.2f} s: {why}")
    report(f"{name}, signal {number}: {stopped} stopped, {len(faults)} faults")
    assert not faults, "\n".join(faults)
