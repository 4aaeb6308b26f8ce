"""s3prl.hub whose upstreams, and with them transformers, are imported when they are asked for.

s3prl/hub.py:1-37 star-imports every upstream's hubconf.py. Which names those define is read off their source;
a module is imported when one of its names is asked for, and one that cannot be imported says so only then.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from .heard_rate import warned

HUB = "s3prl.hub"
UNREGISTERED = ("_local", "_url", "_gdriveid", "_custom")  # s3prl/hub.py:45-52: these want a checkpoint


class Source(NamedTuple):
    """Where a name comes from, and whether it is an upstream: a function that a hubconf.py defines.

    What the files import - Path, FileLock ... - is callable too, and s3prl/hub.py:40 takes it for upstreams.
    """

    module: str
    is_upstream: bool


class LazyHub(ModuleType):
    """Takes the place of the module s3prl.hub: the same names, in the same order, for the same objects."""

    def __init__(self, spec: ModuleSpec):
        super().__init__(HUB, __doc__)
        self.__spec__, self.__loader__, self.__file__ = spec, spec.loader, spec.origin
        self.__package__ = "s3prl"
        self._sources = dict(_sources(Path(spec.origin)))

    def __getattr__(self, name: str) -> Any:
        """Import what defines the name; AttributeError for no such name, else what that import raises."""
        if name.startswith("__") or name not in self._sources:
            raise AttributeError(f"module {HUB!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(self._sources[name].module), name)
        if name == "hf_hubert_custom":
            value = warned(value)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*self._sources, *self.__dict__, "options"})

    @property
    def __all__(self) -> list[str]:
        """For `from s3prl.hub import *`, which torch.hub's hubconf.py of s3prl does."""
        return [name for name in dir(self) if not name.startswith("_")]

    def options(self, only_registered_ckpt: bool = False) -> list[str]:
        """What may follow -u (s3prl/hub.py:40); only what needs no checkpoint of one's own, if asked for."""
        own = [name for name, source in self._sources.items() if source.is_upstream]
        added = [
            name for name, value in self.__dict__.items() if name not in self._sources and callable(value)
        ]
        names = [name for name in (*own, *added) if not name.startswith("_")]
        return [name for name in names if not (only_registered_ckpt and name.endswith(UNREGISTERED))]


def lazy_hub() -> ModuleType:
    """Put a LazyHub in the place of s3prl.hub, unless that is imported already; returns what is there."""
    if HUB in sys.modules:
        return sys.modules[HUB]
    spec = importlib.util.find_spec(HUB)
    sys.modules[HUB] = sys.modules["s3prl"].hub = LazyHub(spec)
    return sys.modules[HUB]


def _sources(hub_file: Path) -> Iterator[tuple[str, Source]]:
    """What hub.py would hold: later imports of a name win, and keep its place, as in a module's namespace."""
    for node in ast.parse(hub_file.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            if alias.name != "*":
                yield alias.asname or alias.name, Source(node.module, True)
                continue
            hubconf = hub_file.parent.joinpath(*node.module.split(".")[1:]).with_suffix(".py")
            for name, is_upstream in _public_names(ast.parse(hubconf.read_text(encoding="utf-8")).body):
                yield name, Source(node.module, is_upstream)


def _public_names(body: list[ast.stmt]) -> Iterator[tuple[str, bool]]:
    """Names at a module's top level, and whether it defines them as functions."""
    for node in body:
        found: list[tuple[str, bool]] = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found = [(node.name, isinstance(node, ast.FunctionDef))]
        elif isinstance(node, ast.ImportFrom):
            other_hubconf = (node.module or "").endswith("hubconf")  # vq_apc_url is apc_url
            found = [(alias.asname or alias.name, other_hubconf) for alias in node.names]
        elif isinstance(node, ast.Import):
            found = [(alias.asname or alias.name.split(".")[0], False) for alias in node.names]
        elif isinstance(node, ast.Assign):
            found = [(target.id, False) for target in node.targets if isinstance(target, ast.Name)]
        yield from ((name, is_upstream) for name, is_upstream in found if not name.startswith("_"))
