"""Progress bars: what they count, and what they write where."""

import io

import pytest
from places import ROOT

from s3prl_pemr.report import progress
from s3prl_pemr.report.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in ("TQDM_DISABLE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Progress, "_open", 0)  # other tests may have left bars behind by an error


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when a test says so."""

    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.mark.parametrize("file", [io.StringIO, Terminal])
@pytest.mark.parametrize("disable", [False, None])
def test_the_variable_silences_it_whatever_the_caller_says_and_it_still_counts(monkeypatch, file, disable):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    written = file()
    with Progress(total=10, initial=2, file=written, disable=disable) as bar:
        for _ in range(3):
            bar.update(2)
        assert (bar.n, bar.total) == (8, 10)
    assert list(Progress("abc", file=written)) == ["a", "b", "c"]
    assert written.getvalue() == ""


@pytest.mark.parametrize(("value", "off"), [("1", True), ("True", True), ("", False), ("0", False)])
def test_which_values_switch_it_off(monkeypatch, value, off):
    monkeypatch.setenv("TQDM_DISABLE", value)
    assert progress.switched_off() is off


def test_without_a_terminal_there_is_a_line_every_minute(clock):
    written = io.StringIO()
    for _ in Progress(range(1000), "work", unit=" files", file=written):
        clock.now += 0.2  # 200 s
    lines = written.getvalue().splitlines()
    assert [line.split("%")[0] for line in lines] == ["work:  30", "work:  60", "work:  90", "work: 100"]
    assert "300/1000 [01:00<02:20" in lines[0]
    assert "5.00 files/s" in lines[0]
    assert "\r" not in written.getvalue()


def test_a_bar_inside_another_is_silent_unless_it_takes_long(clock):
    written = io.StringIO()
    with Progress(total=40, desc="overall", file=written) as overall:
        for _ in range(10):
            for _ in Progress(range(4), "train", file=written):
                clock.now += 2
                overall.update()
        for _ in Progress(range(2), "test", file=written):
            clock.now += 80
    names = [line.split(":")[0] for line in written.getvalue().splitlines()]
    assert names == [
        "overall",
        "test",
        "test",
        "test",
        "overall",
    ]  # at 60 s; at 160, 240 s and its end; the end


def test_a_loop_that_is_left_early_has_no_last_line_and_what_comes_next_is_not_nested(clock):
    written = io.StringIO()
    for item in Progress(range(5), "first", file=written):
        if item == 2:
            break
    assert written.getvalue() == ""
    list(Progress(range(5), "second", file=written))
    assert "second: 100% 5/5" in written.getvalue()


def test_a_postfix_is_in_the_line(clock):
    written = io.StringIO()
    with Progress(total=2, desc="pretrain", file=written) as bar:
        bar.set_postfix({"loss": "1.5"}, refresh=False)
        bar.update()
    assert written.getvalue().rstrip().endswith("loss=1.5]")


def test_on_a_terminal_it_is_tqdms_bar(monkeypatch):
    written = Terminal()
    assert list(Progress(range(3), "work", file=written, ncols=60, colour="red")) == [0, 1, 2]
    assert "\rwork: 100%" in written.getvalue()
    assert "\x1b[31m" in written.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    written = Terminal()
    list(Progress(range(3), "work", file=written, ncols=60, colour="red"))
    assert "\rwork: 100%" in written.getvalue()
    assert "\x1b[31m" not in written.getvalue()


def test_no_other_file_has_bars_of_its_own():
    folders = ("s3prl_pemr", "pretrain", "upstream", "downstream")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert [path.name for path in sources if "from tqdm import" in path.read_text()] == ["progress.py"]
