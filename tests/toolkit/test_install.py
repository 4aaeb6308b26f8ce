"""The plugin from a checkout, from `pip install -e .` and from a wheel: the same names, modules and files."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from places import ROOT

pytestmark = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("pip", "setuptools"))), reason="needs pip and setuptools"
)

PACKAGED = ("s3prl_pemr", "upstream", "downstream", "pretrain")
PIP_INSTALL = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--ignore-installed"]

REPORT = """
import importlib.util
import json
import s3prl_pemr
import s3prl.hub
import s3prl.upstream.pemr.masking as masking
from s3prl_pemr.toolkit.registration import KINDS, PLUGIN_ROOT
folders = {"s3prl_pemr": [__import__("pathlib").Path(s3prl_pemr.__file__).parent]}
folders.update({kind: [PLUGIN_ROOT / kind] for kind in KINDS})
print(json.dumps({
    "file": s3prl_pemr.__file__,
    "masking": [masking.__name__, masking.__file__],
    "names": s3prl.hub.options(),
    "files": sorted(
        f"{kind}/{path.relative_to(folder).as_posix()}"
        for kind, [folder] in folders.items()
        for path in folder.rglob("*")
        if path.suffix in (".py", ".yaml", ".txt")
        and not (kind == "s3prl_pemr" and path.relative_to(folder).parts[0] in KINDS)
    ),
}))
"""


def source_copy(to):
    """What is packaged, so that a build leaves nothing behind in the checkout."""
    for name in filter(lambda folder: (ROOT / folder).is_dir(), PACKAGED):  # git keeps no empty folder
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in [
        *ROOT.glob("*.cfg"),
        *ROOT.glob("*.toml"),
        *ROOT.glob("*.md"),
        *ROOT.glob("LICENSE"),
        *ROOT.glob("run_*.py"),
    ]:
        shutil.copy(path, to)
    return to


def environment(directory):
    """An empty environment on top of the packages of this one, but not of the plugin installed in it.

    A directory named in a .pth file is searched, the .pth files in it (an editable install's) are not read.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory], check=True)
    python = directory / "bin" / "python"
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    below = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(site) / "below.pth").write_text("\n".join(sorted(below)))
    return python


def pip(python, *arguments):
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [python, "-m", "pip", *PIP_INSTALL, *arguments], env=clean, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def start_report(python, cwd, **variables):
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | variables
    return subprocess.Popen([python, "-c", REPORT], cwd=cwd, env=clean, stdout=subprocess.PIPE, text=True)


def finish(process):
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return json.loads(out.splitlines()[-1])


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    tmp = tmp_path_factory.mktemp("install")
    nowhere = tmp / "nowhere"
    nowhere.mkdir()
    checkout, editable, wheel = (
        source_copy(tmp / name) for name in ("checkout", "editable", "wheel") if not (tmp / name).mkdir()
    )
    bare = environment(tmp / "bare-env")
    with_editable, with_wheel = environment(tmp / "editable-env"), environment(tmp / "wheel-env")
    running = {"checkout": start_report(bare, checkout)}  # as run_downstream.py beside the package
    pip(with_editable, "--editable", str(editable))
    running["editable"] = start_report(with_editable, nowhere)
    pip(with_wheel, str(wheel))
    shutil.rmtree(wheel)  # nothing of it may be needed
    running["wheel"] = start_report(with_wheel, nowhere)
    return tmp, {kind: finish(process) for kind, process in running.items()}


@pytest.mark.parametrize(
    ("kind", "place"), [("checkout", "checkout"), ("editable", "editable"), ("wheel", "wheel-env")]
)
def test_the_plugin_comes_from_the_place_under_test(reports, kind, place):
    tmp, report = reports
    assert Path(report[kind]["file"]).is_relative_to(tmp / place)
    name, file = report[kind]["masking"]
    assert name == "s3prl.upstream.pemr.masking"
    assert Path(file).is_relative_to(tmp / place)


@pytest.mark.parametrize("kind", ["checkout", "editable", "wheel"])
def test_the_same_upstreams_after_u(reports, kind):
    names = set(reports[1][kind]["names"])
    assert {"pemr", "pemr_local", "pemr_url", "pemr_random", "fbank_no_cmvn"} <= names
    assert names == set(reports[1]["checkout"]["names"])


@pytest.mark.parametrize("kind", ["checkout", "editable", "wheel"])
def test_every_module_and_yaml_file_is_there(reports, kind):
    expected = {
        path.relative_to(ROOT).as_posix()
        for folder in PACKAGED
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".yaml", ".txt")
    }
    missing = expected - set(reports[1][kind]["files"])
    assert not missing, "add their folders to `packages` in setup.cfg"
