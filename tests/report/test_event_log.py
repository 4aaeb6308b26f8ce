"""TensorBoard's file on a full disk: an error where values are logged, and no waiting for ever."""

import errno
import time

import pytest
from full_disk import largest_file

from s3prl_pemr.report.event_log import EventLog, closed_at_the_end


def test_a_file_that_cannot_be_written_is_an_error_of_the_next_value(tmp_path):
    log = EventLog(str(tmp_path))
    with largest_file(100):
        with pytest.raises(OSError, match="File too large") as caught:
            for step in range(1000):  # tensorboardX itself waits for ever at the twelfth
                log.add_scalar("a", 1.0, step)
                time.sleep(0.01)
        assert caught.value.errno == errno.EFBIG
        assert caught.value.filename.startswith(str(tmp_path / "events.out.tfevents"))
        for step in range(50):
            log.add_scalar("a", 1.0, step)
        log.close()


def test_it_is_an_error_of_closing_at_the_latest(tmp_path):
    log = EventLog(str(tmp_path))
    with largest_file(10):
        with pytest.raises(OSError, match="File too large"):
            log.close()
        log.close()


def test_a_full_disk(small_disk):
    log = EventLog(str(small_disk))
    (small_disk / "others").write_bytes(bytes((1 << 20) - 8192))
    with pytest.raises(OSError, match="No space left on device"):
        for step in range(10_000):
            log.add_text("a", "x" * 1000, step)
            log.flush()
    log.close()


def test_what_is_logged_is_kept(tmp_path):
    log = EventLog(str(tmp_path))
    log.add_scalar("loss", 0.5, 1)
    log.close()
    (file,) = tmp_path.glob("events*")
    assert b"loss" in file.read_bytes()


def test_what_a_run_leaves_open_is_closed_however_it_ends(tmp_path):
    made = []
    with pytest.raises(SystemExit), closed_at_the_end() as writer:
        made += [writer(str(tmp_path / "left")), writer(str(tmp_path / "closed"))]
        made[1].close()
        raise SystemExit(143)
    assert [log.file_writer for log in made] == [None, None]
    assert len(list(tmp_path.glob("*/events.out.tfevents*"))) == 2
