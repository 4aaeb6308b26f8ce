"""Gives back to s3prl 0.4.18 what newer torch, torchaudio and huggingface_hub took away; no-ops elsewhere."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import logging
import sys
import types
import warnings
from pathlib import Path

from . import torchaudio_files, torchaudio_sox

# Modules that s3prl/pretrain/runner.py:26-27 and s3prl/run_pretrain.py:26-27 import from a checkout's root.
PRETRAINING_NAMES = ("pretrain", "utility", "optimizers", "schedulers", "upstream")


def apply() -> None:
    """Everything that `import s3prl.hub` and the toolkit's loops need; may be called again."""
    torchaudio = importable_torchaudio()
    audio_backend(torchaudio)
    sox_effects(torchaudio)
    audio_files(torchaudio)
    hugging_face_names()
    fp16_warnings()
    espnet_warning()
    checkpoint_classes()


def importable_torchaudio() -> types.ModuleType:
    """Serves every `import torchaudio` of s3prl, where torch and torchaudio are not of one build.

    torchaudio's wheel is linked against CUDA: beside a CPU torch its import raises OSError (a library is
    missing), beside a torch of another CUDA version RuntimeError. Only its native extension is then left out.
    """
    try:
        import torchaudio
    except (OSError, RuntimeError):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        sys.modules["torchaudio._extension"] = _extension_left_out()
        import torchaudio
    return torchaudio


def _extension_left_out() -> types.ModuleType:
    extension = types.ModuleType("torchaudio._extension")
    extension._IS_TORCHAUDIO_EXT_AVAILABLE = False
    extension._IS_ALIGN_AVAILABLE = False

    def fail_if_no_align(function):
        def unavailable(*_, **__):
            raise RuntimeError(f"{function.__name__}: torchaudio's native extension does not fit this torch")

        return unavailable

    extension.fail_if_no_align = fail_if_no_align
    return extension


def audio_backend(torchaudio: types.ModuleType) -> None:
    """s3prl/run_downstream.py:157, dataio/dataset/load_audio.py:10; gone since torchaudio 2.9."""
    if not hasattr(torchaudio, "set_audio_backend"):
        torchaudio.set_audio_backend = lambda *_: None


def sox_effects(torchaudio: types.ModuleType) -> None:
    """s3prl/upstream/mos_prediction/expert.py:9 and nine tasks' dataset.py; gone in torchaudio 2.9."""
    if (
        "torchaudio.sox_effects" in sys.modules
        or importlib.util.find_spec("torchaudio.sox_effects") is not None
    ):
        return
    module = types.ModuleType("torchaudio.sox_effects", "SoX effects without SoX, see torchaudio_sox.py.")
    module.apply_effects_file = torchaudio_sox.apply_effects_file
    module.apply_effects_tensor = torchaudio_sox.apply_effects_tensor
    sys.modules["torchaudio.sox_effects"] = torchaudio.sox_effects = module


def audio_files(torchaudio: types.ModuleType) -> None:
    """s3prl/downstream/runner.py:514, 30 files more; torchaudio 2.9 lost `info`, reads by torchcodec only."""
    if hasattr(torchaudio, "info"):  # up to 2.8 torchaudio has readers of its own
        return
    torchaudio.info = torchaudio_files.info
    try:
        import torchcodec  # noqa: F401
    except (ImportError, OSError, RuntimeError):  # absent, or without a fitting FFmpeg or torch
        torchaudio.load = torchaudio_files.load
        torchaudio.save = torchaudio_files.save


class _Gone(type):
    """A class that can be imported; using it says why it cannot work."""

    def __getattr__(cls, attribute: str):
        if attribute.startswith("__"):  # inspect and copy probe for these
            raise AttributeError(attribute)
        raise RuntimeError(_gone(cls.__name__))

    def __call__(cls, *_, **__):
        raise RuntimeError(_gone(cls.__name__))


def _gone(name: str) -> str:
    return f"huggingface_hub 1.0 removed {name}: --push_to_hf_hub needs huggingface_hub<1"


def hugging_face_names() -> None:
    """s3prl/run_downstream.py:17, downstream/runner.py:27 import what huggingface_hub 1.0 removed."""
    import huggingface_hub

    for name in ("HfFolder", "Repository"):
        if not hasattr(huggingface_hub, name):
            setattr(huggingface_hub, name, _Gone(name, (), {}))


def hugging_face_is_usable() -> bool:
    """Whether --push_to_hf_hub can work; for --hub huggingface see s3prl_pemr/loops/hub_repository.py."""
    import huggingface_hub

    return not isinstance(huggingface_hub.HfFolder, _Gone)


def fp16_warnings() -> None:
    """s3prl/downstream/runner.py:243, 295: since torch 2.4 each step warns of the name torch.cuda.amp."""
    warnings.filterwarnings("ignore", message=r"`torch\.cuda\.amp\.", category=FutureWarning)


def espnet_warning() -> None:
    """s3prl/upstream/espnet_hubert/expert.py:15 warns whoever imports it; :24 says it to who wants ESPnet."""
    logger = logging.getLogger("s3prl.upstream.espnet_hubert.expert")
    if _not_of_espnet not in logger.filters:
        logger.addFilter(_not_of_espnet)


def _not_of_espnet(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("ESPnet is not installed")


def checkpoint_classes() -> None:
    """s3prl/run_downstream.py:112, downstream/runner.py:91: torch 2.6 loads no class that is not on its list.

    Checkpoints hold the command line (argparse.Namespace) and, with a *_with_schedule optimizer, a schedule.
    """
    import torch
    from s3prl import optimizers

    schedules = {schedule for schedule in optimizers.SCHEDULES.values() if isinstance(schedule, type)}
    torch.serialization.add_safe_globals([argparse.Namespace, *schedules])


def pretraining_names() -> None:
    """s3prl/run_pretrain.py:26-27, pretrain/runner.py:26-27 import `pretrain`, `utility` ... from the root.

    Not part of `apply`: the names are so general that they could hide a user's own modules.
    """
    for name in PRETRAINING_NAMES:
        ours = importlib.import_module(f"s3prl.{name}")
        theirs = sys.modules.setdefault(name, ours)
        if theirs is not ours:
            where = Path(getattr(theirs, "__file__", None) or "?")
            raise RuntimeError(
                f"s3prl.run_pretrain needs the module name {name!r}, which is taken by {where}"
            )
