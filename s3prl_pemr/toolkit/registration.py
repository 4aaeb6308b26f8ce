"""Makes our folders part of s3prl: what they hold is found by `-u` and `-d` and as `s3prl.upstream.pemr`."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from .hub import lazy_hub

KINDS = ("upstream", "downstream", "pretrain")

_HERE = Path(__file__).resolve().parent.parent  # s3prl_pemr
# A wheel holds the folders inside this package, a checkout (and `pip install -e .`) beside it.
PLUGIN_ROOT = _HERE if (_HERE / "upstream").is_dir() else _HERE.parent


def register() -> None:
    """Adds our folders to s3prl's packages and our upstreams to s3prl.hub; calling it again changes nothing.

    A folder that was copied into s3prl itself comes first and is used instead of ours.

    Raises: RuntimeError if a name is already taken on s3prl.hub, ImportError if our folders are not there.
    """
    if not plugin_folders("upstream"):
        raise ImportError(f"{PLUGIN_ROOT / 'upstream'} holds no upstream: reinstall s3prl-pemr")
    for kind in KINDS:
        search_path = importlib.import_module(f"s3prl.{kind}").__path__
        if plugin_folders(kind) and str(PLUGIN_ROOT / kind) not in search_path:
            search_path.append(str(PLUGIN_ROOT / kind))

    hub = lazy_hub()
    for folder in plugin_folders("upstream"):
        if (folder / "hubconf.py").is_file():
            _add_to_hub(hub, importlib.import_module(f"s3prl.upstream.{folder.name}.hubconf"))


def plugin_folders(kind: str) -> list[Path]:
    """Our packages of one kind ("upstream", "downstream", "pretrain"): folders that have an __init__.py."""
    return sorted(init.parent for init in (PLUGIN_ROOT / kind).glob("*/__init__.py"))


def _add_to_hub(hub: ModuleType, hubconf: ModuleType) -> None:
    for name, entry in vars(hubconf).items():
        if name.startswith("_") or not callable(entry):  # s3prl.hub.options() goes by the same rule
            continue
        taken = getattr(hub, name, None)
        if taken is not None and taken is not entry:
            raise RuntimeError(
                f"s3prl.hub already has an upstream {name!r} (from {getattr(taken, '__module__', '?')}): "
                f"remove one of the two; ours is {hubconf.__file__}"
            )
        setattr(hub, name, entry)
