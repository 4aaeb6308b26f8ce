"""-o: settings over the configs, as s3prl/utility/helper.py:71, whose :79 splits at every `=`."""

from __future__ import annotations

import difflib
import re
import sys
from argparse import Namespace
from typing import Any

_PYTHON_WORDS = ("True", "False", "None")


def options(text: str | None) -> list[tuple[str, Any]]:
    """`key=value,,key=value` as pairs; a value may hold `=`.

    A value is what Python makes of it, as in the toolkit, else a text; a word is that word, also where it is
    a name in Python (`all` is a function).

    Raises:
        ValueError: one line: not of the form key=value, or separated by single commas.
    """
    pairs = []
    for option in filter(None, (part.strip() for part in (text or "").split(",,"))):
        key, equals, value = (part.strip() for part in option.partition("="))
        if not equals or not key:
            raise ValueError(f"-o {option}: expected key=value, e.g. config.runner.total_steps=10")
        pairs.append((key, _value(value)))
    return pairs


def _value(text: str) -> Any:
    if text.isidentifier() and text not in _PYTHON_WORDS:
        return text
    try:
        return eval(text, {})
    except Exception as error:  # a path, a name with a space: whatever Python says of it
        if re.search(r",\s*(config|args)?[\w.]+\s*=", text):
            raise ValueError(f"-o ...={text}: settings are separated by two commas: a=1,,b=2") from error
        return text


def set_option(config: dict, key: str, value: Any, fields: list[str]) -> None:
    """Put a value into nested dicts, made where they are missing, and say so.

    Args:
        config: changed.
        key: as typed, for the messages.
        value: the value.
        fields: the keys on the way to it.

    Raises:
        ValueError: one line: there is a value where a key in between leads.
    """
    print(f"[Override] - {key} = {value}", file=sys.stderr)
    for field in fields[:-1]:
        if config.get(field) is None:
            config[field] = {}
        config = config[field]
        if not isinstance(config, dict):
            raise ValueError(f"-o {key}={value}: {field} is {config!r} and holds no other settings")
    config[fields[-1]] = value


def override(text: str, args: Namespace, config: dict) -> None:
    """In the place of s3prl.utility.helper.override: `args.NAME` and `config.KEY...`.

    Raises:
        ValueError: one line: not of that form; the toolkit passes over a key of another kind.
    """
    for key, value in options(text):
        first, *rest = key.split(".")
        if first == "args" and len(rest) == 1:
            if rest[0] not in args:
                near = difflib.get_close_matches(rest[0], vars(args), n=1)
                hint = f"; did you mean args.{near[0]}?" if near else ""
                raise ValueError(f"-o {key}={value}: there is no such argument{hint}")
            print(f"[Override] - {key} = {value}", file=sys.stderr)
            setattr(args, rest[0], value)
        elif first == "config" and rest:
            set_option(config, key, value, rest)
        else:
            raise ValueError(f"-o {key}={value}: a key begins with config. (or is args.NAME)")
