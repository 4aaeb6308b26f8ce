import configparser
import importlib
import sys

import pytest
import s3prl.downstream
import s3prl.hub
import s3prl.upstream
from places import ROOT

import s3prl_pemr
from s3prl_pemr.toolkit import registration


def hub_names():
    return set(s3prl.hub.options())


def test_upstreams_are_what_a_user_may_type_after_u():
    from s3prl.upstream.pemr import hubconf

    assert {name for name in hub_names() if name.startswith("pemr")} >= {
        "pemr",
        "pemr_local",
        "pemr_url",
        "pemr_random",
    }
    public = {name for name, value in vars(hubconf).items() if callable(value) and not name.startswith("_")}
    assert public <= hub_names()
    assert s3prl.hub.pemr_random is hubconf.pemr_random


def test_one_canonical_module_name():
    module = importlib.import_module("s3prl.upstream.pemr.masking")
    assert module.__name__ == "s3prl.upstream.pemr.masking"
    assert module.frame_importance.__module__ == "s3prl.upstream.pemr.masking"


def test_registering_again_changes_nothing():
    names, paths = hub_names(), list(s3prl.upstream.__path__)
    s3prl_pemr.register()
    assert hub_names() == names
    assert list(s3prl.upstream.__path__) == paths
    assert sum(path == str(registration.PLUGIN_ROOT / "upstream") for path in paths) == 1


def test_a_name_of_somebody_else_is_refused(monkeypatch):
    def somebody_elses():
        pass

    monkeypatch.setattr(s3prl.hub, "pemr_random", somebody_elses)
    with pytest.raises(
        RuntimeError, match="already has an upstream 'pemr_random' .*test_registration"
    ) as caught:
        s3prl_pemr.register()
    assert "\n" not in str(caught.value)
    assert s3prl.hub.pemr_random is somebody_elses


def write_upstream(root, folder, name, says):
    package = root / "upstream" / folder
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "hubconf.py").write_text(
        f"from pathlib import Path as _Path\n_private = print\nNOT_CALLABLE = 1\n"
        f"def {name}(**_):\n    return {says!r}\n"
    )


@pytest.fixture
def plugin_root(tmp_path, monkeypatch):
    """Another plugin root, with an upstream of its own; s3prl is as before after the test."""
    root = tmp_path / "plugin"
    write_upstream(root, "glue_demo", "glue_demo", "ours")
    monkeypatch.setattr(registration, "PLUGIN_ROOT", root)
    for kind in registration.KINDS:
        package = importlib.import_module(f"s3prl.{kind}")
        monkeypatch.setattr(package, "__path__", list(package.__path__))
    before = set(vars(s3prl.hub))
    yield root
    for name in set(vars(s3prl.hub)) - before:
        delattr(s3prl.hub, name)
    for name in [name for name in sys.modules if name.startswith("s3prl.upstream.glue_demo")]:
        del sys.modules[name]


def test_folders_are_discovered_and_private_names_are_not_exported(plugin_root):
    before = set(vars(s3prl.hub))
    registration.register()
    assert s3prl.hub.glue_demo() == "ours"
    assert set(vars(s3prl.hub)) - before == {"glue_demo"}
    assert str(plugin_root / "downstream") not in s3prl.downstream.__path__  # there is none


def test_a_folder_copied_into_s3prl_is_used_instead(plugin_root, tmp_path):
    copy = tmp_path / "s3prl"
    write_upstream(copy, "glue_demo", "glue_demo", "copied")
    s3prl.upstream.__path__.append(str(copy / "upstream"))
    registration.register()
    assert s3prl.hub.glue_demo() == "copied"


def test_missing_folders_are_an_import_error(tmp_path, monkeypatch):
    monkeypatch.setattr(registration, "PLUGIN_ROOT", tmp_path)
    with pytest.raises(ImportError, match="holds no upstream: reinstall s3prl-pemr"):
        registration.register()


def test_version_is_that_of_the_package():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert s3prl_pemr.__version__ == setup["metadata"]["version"]
