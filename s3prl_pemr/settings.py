"""Settings parsed strictly from yaml into dataclasses: an unknown key is an error that names it."""

from __future__ import annotations

from typing import Any, TypeVar

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

    try:
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(cls), settings or {}))
    except OmegaConfBaseException as error:
        raise ValueError(f"{where}: {str(error).splitlines()[0]}") from error
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
