"""What is left of a run that could not begin."""

import pytest

from s3prl_pemr.launch.run_folder import sole_run


def fails_after(folder, *written):
    with pytest.raises(ValueError, match="mistyped"), sole_run(folder):
        for name in written:
            (folder / name).touch()
        raise ValueError("mistyped")


def test_a_run_that_never_began_leaves_no_folder(tmp_path):
    fails_after(tmp_path / "run", "args_last.yaml", "config_last.yaml")
    assert not (tmp_path / "run").exists()


def test_what_was_done_or_was_there_before_stays(tmp_path):
    fails_after(tmp_path / "trained", "args_last.yaml", "states-2.ckpt")
    assert (tmp_path / "trained" / "states-2.ckpt").exists()
    (tmp_path / "earlier").mkdir()
    fails_after(tmp_path / "earlier", "args_last.yaml")
    assert (tmp_path / "earlier" / "args_last.yaml").exists()
