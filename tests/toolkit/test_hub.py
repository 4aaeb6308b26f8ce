"""The lazy hub against the toolkit's own, which imports everything."""

import importlib.util
import os
import subprocess
import sys

import pytest
import torch
from s3prl import hub

from s3prl_pemr.toolkit.hub import LazyHub, lazy_hub

AGAINST_THE_EAGER_HUB = """
import importlib.util, inspect, sys
import s3prl_pemr
from s3prl import hub

assert "transformers" not in sys.modules, "importing s3prl_pemr imports the toolkit's upstreams"
assert hub.options() and dir(hub), "listing names needs none of them"
assert "transformers" not in sys.modules
assert hub is sys.modules["s3prl.hub"]

spec = importlib.util.spec_from_file_location("eager_hub", hub.__file__)
eager = importlib.util.module_from_spec(spec)
spec.loader.exec_module(eager)
for registered in (False, True):
    ours, theirs = hub.options(registered), eager.options(registered)
    imported = ["Path", "FileLock", "load_and_convert_fairseq_ckpt"]  # by hubconf.py files, and no upstreams
    assert [name for name in theirs if name not in ours] == imported
    assert [name for name in ours if name in theirs] == [name for name in theirs if name not in imported]
    from s3prl.upstream.baselines import hubconf
    assert {name for name in ours if name not in theirs} >= {"pemr", "fcn", "simclr"}
public = {name for name in vars(eager) if not name.startswith("_")}
assert public <= set(dir(hub))
for name in public - {"options"}:
    assert inspect.unwrap(getattr(hub, name)) is getattr(eager, name), name  # hf_hubert_custom may warn
from s3prl.nn import S3PRLUpstream
assert S3PRLUpstream.available_names() == hub.options()
print("equal", len(public))
"""


def test_the_same_names_and_objects_as_the_eager_hub():
    done = subprocess.run(
        [sys.executable, "-c", AGAINST_THE_EAGER_HUB], capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    names = int(done.stdout.split()[-1])
    assert names > 200


@pytest.fixture
def broken_hub(tmp_path, monkeypatch):
    """A hub of two upstreams, one of which cannot be imported."""
    package = tmp_path / "toolkit_copy"
    (package / "upstream").mkdir(parents=True)
    for name, source in {
        "good": "from pathlib import Path\nimport os\nSIZE = 3\ndef good(**_):\n    return 'good'\n",
        "broken": "import no_such_package\ndef broken(**_): ...\ndef good_local(**_): ...\n",
        "later": "from pathlib import Path\ndef good(**_):\n    return 'later'\n",
    }.items():
        (package / "upstream" / f"{name}.py").write_text(source)
    (package / "hub.py").write_text(
        "".join(f"from toolkit_copy.upstream.{name} import *\n" for name in ("good", "broken", "later"))
        + "def options(): ...\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield LazyHub(importlib.util.spec_from_file_location("toolkit_copy.hub", package / "hub.py"))
    for name in [name for name in sys.modules if name.startswith("toolkit_copy")]:
        del sys.modules[name]


def test_a_broken_upstream_says_so_only_when_it_is_asked_for(broken_hub):
    assert broken_hub.options() == ["good", "broken", "good_local"]
    assert broken_hub.options(only_registered_ckpt=True) == ["good", "broken"]
    assert broken_hub.good() == "later"  # as in a module: the later star import wins
    assert broken_hub.os is os
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        broken_hub.broken  # noqa: B018
    with pytest.raises(AttributeError, match="has no attribute 'SIZES'"):
        broken_hub.SIZES  # noqa: B018
    broken_hub.own = lambda **_: None
    assert broken_hub.options()[-1] == "own"


def test_a_hub_that_is_there_already_stays():
    assert lazy_hub() is hub is sys.modules["s3prl.hub"]


def test_torch_hub_and_star_import(tmp_path):
    (tmp_path / "hubconf.py").write_text("from s3prl.hub import *\n")
    namespace = {}
    exec((tmp_path / "hubconf.py").read_text(), namespace)
    assert {"fbank", "pemr_random", "options"} <= set(namespace)
    upstream = torch.hub.load(str(tmp_path), "fbank", source="local")
    assert isinstance(upstream, torch.nn.Module)
