"""A model's folder, as the Hugging Face hub has it: settings as json, weights; nothing in it is executed.

`hf download NAME --local-dir FOLDER`, or a copy of such a folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"


def folder_of(name: str, ckpt: str | None, whose: str) -> Path:
    """What -k says.

    Args: name: after -u. whose: a model that it may be of, for the message.

    Raises: ValueError (one line): nothing, or no folder.
    """
    if ckpt is None:
        raise ValueError(f"-u {name} needs -k FOLDER: a copy of a model's folder, e.g. of {whose}")
    folder = Path(ckpt).expanduser()
    if not folder.is_dir():
        raise ValueError(f"-u {name} -k {ckpt}: no such folder; it is a copy of a model's, e.g. of {whose}")
    return folder


def read_settings(folder: Path, file: str = CONFIG) -> dict[str, Any]:
    """A json of the folder. Raises ValueError (one line): not there, or no keys and values."""
    path = folder / file
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; it belongs to the model, copy it too") from error
    except ValueError as error:
        raise ValueError(f"{path}: not json ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: holds no keys and values")
    return content


def require(folder: Path, settings: dict[str, Any], expected: dict[str, Any], why: str) -> None:
    """Raises ValueError (one line) where a setting is there and is not as expected."""
    for key, value in expected.items():
        if settings.get(key, value) != value:
            raise ValueError(f"{folder}: {key} is {settings[key]!r}, not {value!r}: {why}")


def load(model_class: type[nn.Module], folder: Path, **more: Any) -> nn.Module:
    """A model of transformers with all of its weights, float32, in eval mode.

    From the folder alone, and nothing in it is run: safetensors, or .bin by torch's `weights_only`.

    Args: more: for `from_pretrained`.

    Raises: ValueError (one line): no or damaged weights, or weights that leave a part of the model random.
    """
    try:
        with _quiet():
            model, found = model_class.from_pretrained(
                folder, local_files_only=True, output_loading_info=True, **more
            )
    except Exception as error:  # what transformers, safetensors and the unpickler meet can be anything
        raise ValueError(f"{folder}: cannot be loaded: {' '.join(str(error).split())[:200]}") from error
    refuse_missing(folder, model_class.__name__, found["missing_keys"])
    return model.float().eval()


def refuse_missing(folder: Path, model: str, missing: Any) -> None:
    """Raises ValueError (one line) where weights of the model are not there."""
    if missing:
        names = ", ".join(sorted(missing)[:3])
        raise ValueError(f"{folder}: not the weights of a {model}: {len(missing)} are missing ({names} ...)")


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' progress bar and its report of weights that are left out."""
    from transformers.utils import logging

    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()
