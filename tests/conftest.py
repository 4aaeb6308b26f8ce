import logging
import os
import sys

import pytest
import torch
from full_disk import small_disk  # noqa: F401
from places import ROOT, TOOLKIT_TASKS
from ray_cluster import cluster  # noqa: F401

import s3prl_pemr  # noqa: F401 - registers what the tests import as s3prl.upstream.pemr ...

# What the tests start imports this checkout, not another one that is installed.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


def pytest_addoption(parser):
    parser.addoption("--runslow", action="store_true", help="run the tests marked slow too")
    parser.addoption("--torture", action="store_true", help="run the tests marked torture too")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than some seconds; runs with --runslow")
    config.addinivalue_line("markers", "torture: faults by the hundred; runs with --torture (make torture)")


def pytest_collection_modifyitems(config, items):
    for name, flag in (("slow", "--runslow"), ("torture", "--torture")):
        for item in items if not config.getoption(flag) else ():
            if name in item.keywords:
                item.add_marker(pytest.mark.skip(reason=f"{name}: run with {flag}"))


@pytest.fixture
def run_downstream(monkeypatch):
    """run_downstream.py's main() in this process, on the CPU; what it changes for good is undone."""
    from s3prl_pemr.launch.downstream import main

    monkeypatch.syspath_prepend(str(TOOLKIT_TASKS))
    import run_counting

    run_counting.add_to_toolkit()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    for name in ("is_available", "device_count"):  # --device cpu replaces them
        monkeypatch.setattr(torch.cuda, name, getattr(torch.cuda, name))
    for variable in ("WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(variable, raising=False)
    root_level = logging.getLogger().level

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["run_downstream.py", "--device", "cpu", *map(str, arguments)])
        main()

    yield run
    logging.getLogger().setLevel(root_level)
