"""Puts the feature cache between the toolkit's Runner and its frozen upstream (--feature_cache)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn

from .cache import FeatureFiles
from .cached_upstream import CachedUpstream, mean_of_own_frames
from .code_version import code_version
from .identity import file_identity, weights_identity

logger = logging.getLogger(__name__)


@dataclass
class CacheArguments:
    """--feature_cache FOLDER and --feature_cache_gb."""

    folder: str
    max_gigabytes: float = 50.0
    by_default: bool = False  # not asked for: used where it is sure to help


def is_worth_it(args, task: nn.Module, cache: CacheArguments | None) -> bool:
    """Whether it is asked for, or sure to help: each epoch has the same clips, and their means are small."""
    if cache is None or not cache.by_default:
        return cache is not None
    small = getattr(task, "same_clips_each_epoch", False) and not args.upstream_feature_normalize
    return small and not args.upstream_trainable and args.mode != "inference"


def cached_upstream(args, config: dict, upstream: nn.Module, featurizer: nn.Module, task: nn.Module,
                    cache: CacheArguments) -> CachedUpstream:  # fmt: skip
    """The upstream behind the cache.

    A task that says `feature_pooling = "mean"` gets one frame per clip, the mean over the clip's own frames,
    and the cache keeps no more than that; unless the layers are normalised frame by frame
    (--upstream_feature_normalize), which does not commute with the mean, or masked (specaug): then it keeps
    all frames, as for every other task.

    Args:
        args, config: of the toolkit's Runner.
        upstream, featurizer, task: its three modules; the featurizer is changed where frames are pooled.
        cache: where, and how much.

    Raises:
        ValueError: one line: the upstream is trained (-f), so its features change.
    """
    if args.upstream_trainable:
        raise ValueError("--feature_cache is for a frozen upstream: leave out -f, or the cache")
    pooled = (
        getattr(task, "feature_pooling", None) == "mean"
        and not args.upstream_feature_normalize
        and not config.get("specaug")
    )
    identity = {
        "upstream": args.upstream,
        "checkpoint": file_identity(args.upstream_ckpt),
        "model_config": file_identity(args.upstream_model_config),
        "features": featurizer.feature_selection,
        "pooled": pooled,
        "weights": weights_identity(upstream),
        "code": code_version(upstream, also=[CachedUpstream.__module__]),
        "s3prl": version("s3prl"),
        "torch": ".".join(torch.__version__.split(".")[:2]),
    }
    pool = None
    if pooled:
        pool = mean_of_own_frames(featurizer.downsample_rate)
        featurizer.tolist = _one_frame_each
    logger.info("feature cache %s: %s", cache.folder, "time means" if pooled else "all frames")
    files = FeatureFiles(Path(cache.folder), identity, cache.max_gigabytes)
    return CachedUpstream(upstream, files, featurizer.feature_selection, pool)


def _one_frame_each(paired_wavs, paired_feature):
    """For the Featurizer's tolist (s3prl/upstream/interfaces.py:250), which counts frames by the samples."""
    return list(paired_feature)
