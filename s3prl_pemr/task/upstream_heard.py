"""What an upstream's checkpoint was pretrained on, and whether a split that is scored is among it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from s3prl.upstream.adapter.weights_file import SUFFIX, read_weights
from s3prl.util.download import _urls_to_filepaths

from s3prl_pemr.loops.upstream_file import KEY as UPSTREAM_FILE
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.dataset_name import DatasetName, read_dataset_name

KEYS = ("data_set", "data_set_split", "fingerprint", "splits")
ALL = "all"  # for `splits`: every track of the store; how many of which split, 0.1.0 did not write down


def upstream_heard(ckpt: str | None, head: str | None = None) -> dict[str, Any] | None:
    """What a checkpoint of run_pretrain.py says that was heard (s3prl/pretrain/crops/heard.py).

    Args:
        ckpt: what -k names: a file, a URL, or nothing.
        head: a head's checkpoint, which may hold a copy of a file that is no longer there.

    Returns: KEYS; of 0.1.0 without a `data_set`, and with ALL, or None for counts, in `splits`. None where it
    is not known: no such file, or one of another kind, whatever it holds.
    """
    try:
        path = Path(_urls_to_filepaths(ckpt, download=False) if "://" in ckpt else ckpt).expanduser()
        lost = head is not None and not path.is_file()
        if path.suffix == SUFFIX and not lost:
            return {key: read_weights(path)["Heard"][key] for key in KEYS}
        # mmap: of a file of gigabytes only what is looked at is read
        states = torch.load(head if lost else path, map_location="cpu", weights_only=True, mmap=True)
        states = states[UPSTREAM_FILE]["states"] if lost else states
        if "Heard" in states:
            return {key: states["Heard"][key] for key in KEYS}
        fingerprint = states["Data"]["fingerprint"]
        split = states["Config"]["pretrain_expert"]["datarc"].get("split", "")
    except Exception:  # any upstream's file may stand here: what the unpickler meets in it can be anything
        return None
    return dict(zip(KEYS, (None, None, fingerprint, {split: None} if split else ALL), strict=True))


def overlap(heard: dict[str, Any] | None, store: AudioStore, split: str) -> str | None:
    """What to say of scores on a split that the upstream may have heard; None where there is nothing to say.

    Names of splits mean the same tracks in two stores if their dataset.json name one data set with one split
    scheme; with two schemes (the folds of `prepare gtzan --split random10`) any track may have been heard.

    Args:
        heard: of `upstream_heard`.
        store: that is scored.
        split: its name there.
    """
    if heard is None:
        return None
    data_set = read_dataset_name(store.path)
    same_audio = heard["fingerprint"] == store.fingerprint
    known = data_set is not None and heard["data_set"] is not None
    if not same_audio and not (known and heard["data_set"] == data_set.name):
        return None
    splits = heard["splits"]
    whole = splits == ALL or (same_audio and sum(filter(None, splits.values())) == len(store))
    if known and not whole and heard["data_set_split"] != data_set.split:
        then = DatasetName(heard["data_set"], heard["data_set_split"])
        return (
            f"the upstream was pretrained on {then}, this store is {data_set}: it may have heard these tracks"
        )
    if not whole and split not in splits:
        return None
    where = store.path if data_set is None else data_set.name
    return f"the upstream was pretrained on the split {split!r} of {where} too: not scores of unheard music"
