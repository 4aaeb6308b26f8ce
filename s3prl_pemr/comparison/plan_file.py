"""A plan's yaml: of a file, or of a name that comes along; `extends` takes over another one's."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from s3prl_pemr.settings import parse

from .plan import Plan

SHIPPED = Path(str(files("s3prl_pemr.comparison"))) / "plans"
EXTENDS = "extends"


def shipped_plans() -> list[str]:
    """Names of the plans that come with the package."""
    return sorted(
        path.name.removesuffix(".yaml") for path in SHIPPED.iterdir() if path.name.endswith(".yaml")
    )


def read_plan(name: str, override: str = "") -> Plan:
    """The plan of a file, or of the name of one that comes with the package.

    Args:
        override: KEY=VALUE,,KEY=VALUE: dotted names over the yaml; a row goes by its number: rows.0.upstream.

    Raises:
        ValueError: one line: no such plan, an unknown key, or one that contradicts itself.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    path = _path(name)
    try:
        content = OmegaConf.create(plan_content(path))
        content.merge_with_dotlist([part for part in override.split(",,") if part])
    except (yaml.YAMLError, OmegaConfBaseException, ValueError) as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from error
    return parse(Plan, content, str(path))


def plan_content(path: Path) -> dict[str, Any]:
    """A plan as its yaml has it; of `extends: PLAN` with the stores, tasks and rows of that one first.

    Raises:
        yaml.YAMLError, ValueError: no yaml, no mapping, or no such plan.
    """
    own = _mapping(path)
    base = own.pop(EXTENDS, "")
    if not base:
        return own
    given = _mapping(_path(base))
    if EXTENDS in given:
        raise ValueError(f"{base} extends another plan itself")
    for key in ("stores", "pretrainings", "tasks"):
        own[key] = {**given.get(key, {}), **own.get(key, {})}
    own["rows"] = [*given.get("rows", []), *own.get("rows", [])]
    return {**given, **own}


def _mapping(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    if not isinstance(content, dict):
        raise ValueError("a plan is a mapping: title, rows, tasks ...")
    return content


def _path(name: str) -> Path:
    path = Path(name) if Path(name).suffix in (".yaml", ".yml") else SHIPPED / f"{name}.yaml"
    if not path.is_file():
        raise ValueError(f"{name}: no such plan; name a yaml file, or one of {', '.join(shipped_plans())}")
    return path
