import argparse
import logging
import sys
import types
import warnings

import huggingface_hub
import pytest
import torch
import torchaudio

from s3prl_pemr.toolkit import compat, torchaudio_files


@pytest.mark.parametrize(
    "error", [OSError("libc10_cuda.so"), RuntimeError("compiled with different CUDA versions")]
)
def test_torchaudio_is_imported_without_its_extension_where_that_does_not_load(tmp_path, monkeypatch, error):
    package = tmp_path / "torchaudio"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from . import _extension\nfrom ._extension import fail_if_no_align\n"
    )
    (package / "_extension.py").write_text(f"raise {error!r}")
    for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = compat.importable_torchaudio()
    assert found.__file__ == str(package / "__init__.py")
    assert found._extension._IS_TORCHAUDIO_EXT_AVAILABLE is False
    with pytest.raises(RuntimeError, match="merge: torchaudio's native extension does not fit"):
        found.fail_if_no_align(types.SimpleNamespace(__name__="merge"))()
    for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
        del sys.modules[name]


def test_torchaudio_that_is_not_installed_stays_an_import_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchaudio", None)
    with pytest.raises(ModuleNotFoundError, match="torchaudio"):
        compat.importable_torchaudio()


def test_old_torchaudio_is_left_as_it_is():
    backend, reader = object(), object()
    old = types.SimpleNamespace(set_audio_backend=backend, info=reader, load=reader, save=reader)
    compat.audio_backend(old)
    compat.audio_files(old)
    assert vars(old) == {"set_audio_backend": backend, "info": reader, "load": reader, "save": reader}


def test_torchcodec_reads_where_it_is_there(monkeypatch):
    reader = object()
    new = types.SimpleNamespace(load=reader, save=reader)
    monkeypatch.setitem(sys.modules, "torchcodec", types.ModuleType("torchcodec"))
    compat.audio_files(new)
    assert vars(new) == {"load": reader, "save": reader, "info": torchaudio_files.info}


def test_soundfile_reads_where_torchcodec_is_not(monkeypatch):
    new = types.SimpleNamespace(load=object(), save=object())
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    compat.audio_files(new)
    expected = {"load": torchaudio_files.load, "save": torchaudio_files.save, "info": torchaudio_files.info}
    assert vars(new) == expected


def test_sox_effects_of_torchaudio_stay(monkeypatch):
    own = types.ModuleType("torchaudio.sox_effects")
    monkeypatch.setitem(sys.modules, "torchaudio.sox_effects", own)
    compat.sox_effects(torchaudio)
    assert sys.modules["torchaudio.sox_effects"] is own


def test_apply_may_be_called_again():
    before = (
        torchaudio.load,
        torchaudio.info,
        sys.modules["torchaudio.sox_effects"],
        huggingface_hub.HfFolder,
    )
    compat.apply()
    after = (
        torchaudio.load,
        torchaudio.info,
        sys.modules["torchaudio.sox_effects"],
        huggingface_hub.HfFolder,
    )
    assert after == before


def test_names_that_hugging_face_removed(monkeypatch):
    empty = types.ModuleType("huggingface_hub")
    monkeypatch.setitem(sys.modules, "huggingface_hub", empty)
    compat.hugging_face_names()
    assert not compat.hugging_face_is_usable()
    for use in (lambda: empty.HfFolder.get_token(), lambda: empty.Repository(local_dir=".")):
        with pytest.raises(RuntimeError, match="needs huggingface_hub<1"):
            use()


def test_names_of_an_old_hugging_face_stay(monkeypatch):
    class HfFolder:
        pass

    old = types.ModuleType("huggingface_hub")
    old.HfFolder = old.Repository = HfFolder
    monkeypatch.setitem(sys.modules, "huggingface_hub", old)
    compat.hugging_face_names()
    assert old.HfFolder is HfFolder
    assert compat.hugging_face_is_usable()


def test_checkpoints_of_the_toolkit_load_with_torchs_own_load(tmp_path):
    from s3prl.optimizers import get_optimizer

    layer = torch.nn.Linear(2, 2)
    optimizer = get_optimizer([layer], 10, {"name": "AdamW_with_schedule", "lr": 0.1})
    optimizer.param_groups[0]["lr"] = 0.2
    states = {"Optimizer": optimizer.state_dict(), "Args": argparse.Namespace(seed=3)}
    torch.save(states, tmp_path / "states.ckpt")
    loaded = torch.load(tmp_path / "states.ckpt", weights_only=True)
    assert loaded["Args"].seed == 3
    assert loaded["Optimizer"]["param_groups"][0]["lr"] == 0.2


def test_old_names_of_mixed_precision_do_not_warn():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compat.fp16_warnings()
        with torch.cuda.amp.autocast(enabled=False):
            pass
        warnings.warn("`torch.cuda.other` is deprecated", FutureWarning, stacklevel=1)
    assert [str(warning.message) for warning in caught] == ["`torch.cuda.other` is deprecated"]


def test_names_for_the_toolkits_own_pretraining(monkeypatch):
    for name in compat.PRETRAINING_NAMES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    try:
        compat.pretraining_names()
        assert sys.modules["pretrain"].__name__ == "s3prl.pretrain"
        monkeypatch.setitem(sys.modules, "utility", types.ModuleType("utility"))
        with pytest.raises(RuntimeError, match="'utility', which is taken by"):
            compat.pretraining_names()
    finally:
        for name in compat.PRETRAINING_NAMES:
            sys.modules.pop(name, None)


def test_what_a_missing_espnet_says_of_itself_is_left_out_and_nothing_else(caplog):
    logger = logging.getLogger("s3prl.upstream.espnet_hubert.expert")
    logger.warning("ESPnet is not installed, cannot use espnet_hubert upstream")
    logger.warning("something else")
    assert [record.getMessage() for record in caplog.records] == ["something else"]
    filters = list(logger.filters)
    compat.espnet_warning()
    assert logger.filters == filters
