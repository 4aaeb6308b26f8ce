import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from s3prl_pemr.comparison.stages import Stages

APPEND = "import sys; open(sys.argv[1], 'a').write('x')"


def test_a_stage_that_is_done_is_not_run_again(tmp_path, capsys):
    output = tmp_path / "output"
    for _ in range(2):
        stages = Stages(tmp_path / "demo", total=1)
        stages.run("write", ["-c", APPEND, str(output)])
    assert output.read_text() == "x"
    record = json.loads((tmp_path / "demo" / "stages.json").read_text())["write"]
    assert record["done"]
    assert stages.seconds("write") == record["seconds"] > 0
    shown = capsys.readouterr().out
    assert "[1/1] write\n$ python -c" in shown
    assert "write: done" in shown


def test_a_stage_that_fails_ends_the_run_and_goes_on_later(tmp_path, capsys):
    flag = tmp_path / "flag"
    code = "import sys, pathlib; sys.exit(0 if pathlib.Path(sys.argv[1]).exists() else 3)"
    stages = Stages(tmp_path, total=1)
    with pytest.raises(SystemExit) as error:
        stages.run("may fail", ["-c", code, str(flag)])
    assert error.value.code == 3
    assert "may fail ended with status 3; the same command goes on from there" in capsys.readouterr().err
    first = stages.seconds("may fail")
    flag.touch()
    stages = Stages(tmp_path, total=1)
    stages.run("may fail", ["-c", code, str(flag)])
    assert stages.records["may fail"]["done"]
    assert stages.seconds("may fail") > first > 0  # both attempts count


def test_a_folder_of_another_experiment_is_refused(tmp_path):
    Stages(tmp_path, total=1).run("one", ["-c", "pass"])
    with pytest.raises(ValueError, match=r"stage one was run by another command before .*remove"):
        Stages(tmp_path, total=1).run("one", ["-c", "0"])


@pytest.mark.parametrize(
    ("number", "to_group"), [(signal.SIGINT, True), (signal.SIGTERM, False)], ids=["Ctrl-C", "SIGTERM"]
)
def test_an_interrupted_stage_saves_and_ends_before_its_runner(tmp_path, number, to_group):
    stage = textwrap.dedent("""
        import pathlib, signal, sys, time
        def save(number, frame):
            time.sleep(0.3)
            pathlib.Path(sys.argv[1], "saved").touch()
            sys.exit(128 + number)
        signal.signal(signal.SIGINT, save)
        signal.signal(signal.SIGTERM, save)
        pathlib.Path(sys.argv[1], "started").touch()
        time.sleep(60)
    """)
    (tmp_path / "stage.py").write_text(stage)
    main = "import sys; from pathlib import Path; from s3prl_pemr.comparison.stages import Stages\n"
    main += "Stages(Path(sys.argv[1]), 1).run('long', [sys.argv[1] + '/stage.py', sys.argv[1]])"
    process = subprocess.Popen([sys.executable, "-c", main, str(tmp_path)], start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "started").exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        (os.killpg if to_group else os.kill)(process.pid, number)
        assert process.wait(timeout=30) == 128 + number
    finally:
        process.kill()
    assert (tmp_path / "saved").exists()
    assert json.loads((tmp_path / "stages.json").read_text())["long"]["done"] is False


def test_where_their_number_is_not_known_it_is_not_said(tmp_path):
    log = tmp_path / "log.txt"
    for _ in range(2):
        Stages(tmp_path / "cell", total=0, log=log).run("empty", ["-c", "pass"])
    assert "[1] empty\n$ python -c pass" in log.read_text() and "[1] empty: done" in log.read_text()
