"""Settings parsed strictly from yaml into dataclasses: an unknown key is an error that names it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

Config = TypeVar("Config")


def parse(cls: type[Config], settings: Any, where: str) -> Config:
    """Build the dataclass `cls` from a mapping; nested dataclasses from nested mappings.

    Args:
        cls: a dataclass with plain-typed fields, each with a default.
        settings: mapping of field names to values; None stands for an empty one.
        where: what the mapping was read from, for the message.

    Raises:
        ValueError: one line, for an unknown key, a value of the wrong type or out of its range.
    """
    from omegaconf import OmegaConf  # here: a tenth of what `import s3prl_pemr` takes, and not for --help
    from omegaconf.errors import OmegaConfBaseException

    from s3prl_pemr.safety.interruption import ctrl_c_waits

    try:
        with ctrl_c_waits():  # OmegaConf would make it a wrong key's error, now and then
            merged: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(cls), settings or {}))
        return merged
    except OmegaConfBaseException as error:
        raise ValueError(f"{where}: {_line_of(error)}") from error
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _line_of(error: Any) -> str:
    """The first line; with the keys there are for an unknown one, with the whole key before a value."""
    from omegaconf.errors import ConfigKeyError

    line = str(error).splitlines()[0]
    if not isinstance(error, ConfigKeyError):
        return f"{error.full_key}: {line}" if error.full_key else line
    if "Did you mean" in line or not is_dataclass(error.object_type):
        return line
    return f"{line}; there are {', '.join(field.name for field in fields(error.object_type))}"


def read_yaml(path: str | Path, flag: str) -> dict[str, Any]:
    """The keys and values of a file, with YAML's safe loader: a tag makes no object of Python's.

    Args: flag: that named it, for the message.

    Raises:
        ValueError: one line: no such file, not yaml, or no keys and values.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{flag} {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ValueError(f"{flag} {path}: not yaml: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{flag} {path}: expected keys and values, got {type(content).__name__}")
    return content
