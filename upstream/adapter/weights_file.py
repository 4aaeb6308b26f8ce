"""Weights as they ship: safetensors, and a json that says what they are.

NAME.json holds `method` (the name after -u), `config` (the model yaml), `files` (sha256 of each safetensors
file beside it), `heard` and `card` (data, licence, steps, seed, scores ...). It stands wherever a checkpoint
may: -k, --init. Each file holds some parts of the model; matrices are stored in float16.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from s3prl_pemr.safety.whole_file import write_whole

SUFFIX = ".json"
FORMAT_VERSION = 1
HEARD = "Heard"  # which music pretraining heard (s3prl/pretrain/crops/heard.py)


def read_weights(path: Path) -> dict[str, Any]:
    """`Method`, `Upstream_Config`, `Upstream` (float32), `Card` and perhaps `Heard`, as of a checkpoint.

    Raises:
        ValueError: one line: not such a json, or a file of it that is missing, or is not the one it names.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version, method, config, files = (content[key] for key in ("format", "method", "config", "files"))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: does not describe weights of s3prl-pemr") from error
    if version != FORMAT_VERSION:
        raise ValueError(f"{path}: of format {version}, this version of s3prl-pemr reads {FORMAT_VERSION}")
    weights: dict[str, Tensor] = {}
    for name, sha256 in files.items():
        weights |= _read_file(path.with_name(Path(name).name), sha256)
    states = {
        "Method": method, "Upstream_Config": config, "Upstream": weights, "Card": content.get("card", {})
    }  # fmt: skip
    return states | ({HEARD: content["heard"]} if "heard" in content else {})


def _read_file(path: Path, sha256: str) -> dict[str, Tensor]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(
            f"{path}: {error.strerror}; it belongs to the weights, copy it beside the json"
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(
            f"{path}: damaged, or of other weights (its sha256 is not the json's); copy it again"
        )
    try:
        stored = load(content)
    except SafetensorError as error:
        raise ValueError(f"{path}: no safetensors file ({error})") from error
    return {name: value.float() if value.dtype == torch.float16 else value for name, value in stored.items()}


def write_weights(
    path: Path, states: Mapping[str, Any], files: Mapping[str, Sequence[str]], card: Mapping[str, Any]
) -> None:
    """Write a checkpoint's weights beside `path`, then `path` itself.

    Args:
        path: NAME.json.
        states: of `read_checkpoint`.
        files: for each file name the model's parts in it, e.g. frontend and encoder; together all of them.
        card: what people want to know of the weights.

    Raises:
        ValueError: a part of the model is in no file, or in two.
    """
    weights: Mapping[str, Tensor] = states["Upstream"]
    named = sorted(part for parts in files.values() for part in parts)
    if named != sorted({name.split(".")[0] for name in weights}):
        raise ValueError(f"the files hold {', '.join(named)}: not each part of the model once")
    sums = {}
    for name, parts in files.items():
        chosen = {key: _stored(value) for key, value in weights.items() if key.split(".")[0] in parts}
        packed = save(chosen, metadata={"format": "pt"})
        sums[name] = hashlib.sha256(packed).hexdigest()
        write_whole(path.with_name(name), packed)
    content = {
        "format": FORMAT_VERSION, "method": states["Method"], "config": states["Upstream_Config"],
        "files": sums, "card": dict(card),
    }  # fmt: skip
    if HEARD in states:
        content["heard"] = states[HEARD]
    write_whole(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def _stored(value: Tensor) -> Tensor:
    """A matrix in half precision: its rounding is a thousandth of what a step of training moves."""
    value = value.detach().cpu().contiguous()
    return value.half() if value.is_floating_point() and value.dim() > 1 else value
