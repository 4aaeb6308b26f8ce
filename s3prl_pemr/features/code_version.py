"""Which code computes a model's features: a hash that is the same in every process and every checkout."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from torch import nn

UPSTREAMS = "s3prl.upstream."  # whose imports among each other are followed: functions have no class


def code_version(model: nn.Module, also: Iterable[str] = ()) -> str:
    """SHA-256 over the source of the model's own classes: of all its modules, and what they inherit from.

    A class of an upstream brings what its file imports from upstreams, and so on: a front end's functions,
    the padding of a batch. torch and Python count by their versions, not here.

    Args:
        model: the upstream.
        also: names of modules that have a part in the features besides it.
    """
    classes = {base for module in model.modules() for base in type(module).__mro__}
    waiting = {cls.__module__ for cls in classes if not _of_torch_or_python(cls.__module__)} | set(also)
    sources: dict[str, bytes] = {}
    while waiting:
        name = waiting.pop()
        sources[name] = source = _source(name)
        if name.startswith(UPSTREAMS):
            waiting |= {other for other in _imported(name, source) if _source(other)} - set(sources)
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(f"{name}\n{len(sources[name])}\n".encode())
        digest.update(sources[name])
    return digest.hexdigest()


def _of_torch_or_python(name: str) -> bool:
    package = name.partition(".")[0]
    return package == "torch" or (package in sys.stdlib_module_names and package != "__main__")


def _source(name: str) -> bytes:
    """The file of a module, its lines ended as on Linux; empty where there is no such module, or no file."""
    path = getattr(sys.modules.get(name), "__file__", None)
    if path is None:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            return b""
        path = spec.origin if spec and spec.has_location else None
    if path is None or not Path(path).is_file():
        return b""
    return Path(path).read_bytes().replace(b"\r\n", b"\n")


def _imported(name: str, source: bytes) -> Iterator[str]:
    """What may be modules of upstreams among the names that a module's source imports."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = importlib.util.find_spec(name).parent
            module = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        yield from (other for other in names if other.startswith(UPSTREAMS))
