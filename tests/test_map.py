"""The maps name what there is."""

import re

import pytest
from places import ROOT

import s3prl_pemr

KINDS = ("upstream", "pretrain", "downstream", "s3prl_pemr")
PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join(KINDS)})(?:/[\w.]+)+/?")


def named(text):
    return {path.rstrip("./") for path in PATH.findall(text) if "NAME" not in path}


MAPS = ("README.md", "docs/equations.md", "CONTRIBUTING.md", "docs/differences.md", "package")


@pytest.mark.parametrize("page", MAPS)
def test_every_path_that_a_map_names_is_there(page):
    text = s3prl_pemr.__doc__ if page == "package" else (ROOT / page).read_text()
    paths = named(text)
    assert len(paths) > 2
    assert not {path for path in paths if not (ROOT / path).exists()}


def test_every_folder_is_on_a_map():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    folders = {
        path.parent.relative_to(ROOT).as_posix()
        for kind in KINDS
        for path in (ROOT / kind).glob("*/__init__.py")
    }
    assert not folders - named(text) - {"upstream/byol_a_local"}


def test_rooms_hold_at_most_14_files_and_few_lie_loose():
    loose = {path.name for path in (ROOT / "s3prl_pemr").glob("*.py")}
    assert loose == {"__init__.py", "__main__.py", "methods.py", "settings.py"}
    for kind in KINDS:
        for init in (ROOT / kind).glob("*/**/__init__.py"):
            files = [path for path in init.parent.iterdir() if path.is_file()]
            assert len(files) <= 14, init.parent


def test_no_two_test_files_have_one_name():
    """pytest imports them by it."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
