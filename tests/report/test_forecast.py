from datetime import timedelta

import pytest

from s3prl_pemr.report import forecast
from s3prl_pemr.report.forecast import STEPS, Forecast


def lines(total, done, seconds, monkeypatch, first=100.0):
    clock = [0.0]
    monkeypatch.setattr(forecast.time, "monotonic", lambda: clock[0])
    counting, said = Forecast(total, done, ", without evaluations"), []
    for step in range(40):
        clock[0] += first if step == 0 else seconds
        said.append(counting.step())
    return said


def test_it_is_said_once_and_the_first_step_does_not_count(monkeypatch):
    said = lines(20_000, 0, 1.2, monkeypatch)
    assert [step for step, line in enumerate(said) if line] == [STEPS]
    assert said[STEPS].startswith("1.2 s a step: the other 19,989 take about 7 hours, until ")
    assert said[STEPS].endswith(", without evaluations")


def test_of_a_run_that_goes_on_only_the_rest_counts(monkeypatch):
    assert "the other 1,889 take about 31 minutes" in lines(20_000, 18_100, 1.0, monkeypatch)[STEPS]


def test_a_short_run_needs_none(monkeypatch):
    assert not any(lines(STEPS + 1, 0, 1.0, monkeypatch))


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        (10, "less than a minute"),
        (90, "2 minutes"),
        (7100, "118 minutes"),
        (7300, "2 hours"),
        (10**6, "12 days"),
    ],
)
def test_how_long_in_words(rest, told):
    assert forecast._told(timedelta(seconds=rest)) == told
