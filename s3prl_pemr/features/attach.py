"""Puts the feature cache between the toolkit's Runner and its frozen upstream (--feature_cache)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from s3prl.upstream.adapter.expert import UpstreamExpert
from torch import nn

from .cache import FeatureFiles, folder_of
from .cached_upstream import CachedUpstream
from .code_version import code_version
from .half_precision import HalfPrecision
from .identity import file_identity, weights_identity
from .kept_frames import KEPT
from .one_layer import OneLayer

logger = logging.getLogger(__name__)


@dataclass
class CacheArguments:
    """--feature_cache FOLDER and --feature_cache_gb."""

    folder: str
    max_gigabytes: float = 50.0
    by_default: bool = False  # not asked for: used where it is sure to help


def is_worth_it(
    args, config: dict, featurizer: nn.Module, task: nn.Module, cache: CacheArguments | None
) -> bool:
    """Whether it is asked for, or sure to help: each epoch has the same clips, and what is kept is small."""
    if cache is None or not cache.by_default:
        return cache is not None
    small = getattr(task, "same_clips_each_epoch", False) and kept_pooling(args, config, featurizer, task)
    return bool(small) and not args.upstream_trainable and args.mode != "inference"


def kept_pooling(args, config: dict, featurizer: nn.Module, task: nn.Module) -> str | None:
    """What the cache may keep of a clip instead of all its frames; None: all of them.

    A task says in `feature_pooling` what it makes of a clip's frames. The mean commutes with the weighted sum
    over layers, the deviation does not; neither does with a normalisation of each frame
    (--upstream_feature_normalize) or with masking (specaug).
    """
    pooling = getattr(task, "feature_pooling", None)
    if pooling not in KEPT or args.upstream_feature_normalize or config.get("specaug"):
        return None
    summed = hasattr(featurizer, "weights")
    return None if pooling != "mean" and summed else pooling


def cached_upstream(args, config: dict, upstream: nn.Module, featurizer: nn.Module, task: nn.Module,
                    cache: CacheArguments) -> CachedUpstream:  # fmt: skip
    """The upstream behind the cache.

    Where `kept_pooling` says so, the cache keeps one or two frames a clip, of which the task's pooling makes
    the same; else all of them. Of many layers it keeps the one of -l, unless a cache of all of them is there.

    Args:
        args, config: of the toolkit's Runner.
        upstream, featurizer, task: its three modules; the featurizer is changed where frames are pooled.
        cache: where, and how much.

    Raises:
        ValueError: one line: the upstream is trained (-f), so its features change.
    """
    if args.upstream_trainable:
        raise ValueError("--feature_cache is for a frozen upstream: leave out -f, or the cache")
    pooling = kept_pooling(args, config, featurizer, task)
    pool = KEPT[pooling](featurizer.downsample_rate) if pooling else None
    own_code = {CachedUpstream.__module__, *([pool.__module__] if pool else [])}
    identity = {
        "upstream": args.upstream,
        "checkpoint": file_identity(args.upstream_ckpt),
        "model_config": file_identity(args.upstream_model_config),
        "features": featurizer.feature_selection,
        "pooled": pooling if pooling == "mean_std" else pooling is not None,  # True: mean, as ever
        "weights": weights_identity(upstream),
        "code": code_version(upstream, also=own_code),
        "s3prl": version("s3prl"),
        "torch": ".".join(torch.__version__.split(".")[:2]),
    }
    if pooling:
        featurizer.tolist = _as_they_are
    heard = upstream.upstream if isinstance(upstream, HalfPrecision) else upstream
    together = isinstance(heard, UpstreamExpert) and args.device.startswith("cuda")
    frame_samples = featurizer.downsample_rate if together else 0
    layer = getattr(featurizer, "layer_selection", None)
    if layer is not None and not folder_of(Path(cache.folder), identity).exists():
        identity["layer"] = layer
        upstream = OneLayer(upstream, featurizer.feature_selection, layer)
    kept = {None: "all frames", "mean": "time means", "mean_std": "means and deviations over time"}
    logger.info("feature cache %s: %s", cache.folder, kept[pooling])
    files = FeatureFiles(Path(cache.folder), identity, cache.max_gigabytes)
    return CachedUpstream(upstream, files, featurizer.feature_selection, pool, frame_samples)


def _as_they_are(paired_wavs, paired_feature):
    """For the Featurizer's tolist (s3prl/upstream/interfaces.py:250), which counts frames by the samples."""
    return list(paired_feature)
