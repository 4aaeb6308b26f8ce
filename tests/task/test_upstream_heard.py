"""What an upstream's checkpoint was pretrained on, and whether scored tracks are among it."""

import pytest
import torch
from places import GOLDEN
from s3prl.pretrain.crops.heard import heard_record, heard_tracks
from s3prl.util import download
from split_store import split_store

from s3prl_pemr.store import AudioStore
from s3prl_pemr.task.upstream_heard import overlap, upstream_heard

SPLITS = ["train", "train", "valid", "test"]
FINGERPRINT = "e21b0195ff2e828aa075c87ccc26171a3acc85f1392c9306cc1f1be1080d8a79"
HEARD = {"data_set": "gtzan", "data_set_split": "own", "fingerprint": "f", "splits": {"train": 2}}


def old(split=None, **keys):
    datarc = {"store": "STORE"} | ({} if split is None else {"split": split})
    return {"Data": {"fingerprint": "f"}, "Config": {"pretrain_expert": {"datarc": datarc}}, **keys}


@pytest.mark.parametrize(
    ("states", "splits"),
    [
        (old("train"), {"train": None}),
        (old(""), "all"),
        (old(), "all"),
        (old("train", Heard={**HEARD, "splits": {"valid": 1}, "more": 0}), {"valid": 1}),
    ],
)
def test_a_checkpoint_says_what_was_heard(tmp_path, states, splits):
    torch.save(states, tmp_path / "states-1.ckpt")
    heard = upstream_heard(str(tmp_path / "states-1.ckpt"))
    known = ("gtzan", "own") if "Heard" in states else (None, None)
    assert heard == {
        "data_set": known[0], "data_set_split": known[1], "fingerprint": "f", "splits": splits
    }  # fmt: skip


def test_the_golden_checkpoint():
    heard = upstream_heard(str(GOLDEN / "0.1.0" / "pretrain" / "states-3.ckpt"))
    assert (heard["fingerprint"], heard["splits"]) == (FINGERPRINT, {"train": None})
    store = AudioStore(GOLDEN / "0.1.0" / "store")
    assert "'train'" in overlap(heard, store, "train")
    assert overlap(heard, store, "test") is None
    assert "'test'" in overlap({**heard, "splits": "all"}, store, "test")


class Foreign:
    """What no safe unpickler builds."""


@pytest.mark.parametrize(
    "content",
    [
        b"", b"not a checkpoint", {"model": torch.zeros(2)}, [1, 2], torch.zeros(3), Foreign(), {"Data": 3},
        {"Heard": "much"}, {"Heard": {"splits": {}}}, old() | {"Config": None}, {"Config": {}, "Data": {}},
    ],
    ids=lambda content: str(content).partition(" object at")[0],
)  # fmt: skip
def test_a_file_of_another_kind_says_nothing(tmp_path, content):
    path = tmp_path / "model.pt"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    assert upstream_heard(str(path)) is None


def test_nothing_a_folder_and_an_address_that_was_never_fetched_say_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_download", lambda *_, **__: pytest.fail("fetches"))
    for ckpt in (None, "", str(tmp_path), str(tmp_path / "none"), "https://example.org/a.ckpt", "a\0b"):
        assert upstream_heard(ckpt) is None


def test_the_file_behind_an_address_is_looked_at(tmp_path, monkeypatch):
    url = "https://example.org/a.ckpt"
    monkeypatch.setattr(download, "get_dir", lambda: tmp_path)
    torch.save(old("train"), download._urls_to_filepaths(url, download=False))
    assert upstream_heard(url)["splits"] == {"train": None}


def store_and_heard(tmp_path, split, *, scored=("gtzan", "own"), heard=("gtzan", "own"), seed=0):
    """The store that is scored, and the record of a pretraining on one of the same splits."""
    pretrained = AudioStore(split_store(tmp_path / "PRETRAINED", SPLITS, heard))
    store = AudioStore(split_store(tmp_path / "STORE", SPLITS, scored, seed=seed))
    return store, heard_record(pretrained, heard_tracks(pretrained, split))


@pytest.mark.parametrize("seed", [0, 1])  # the same audio, other audio of the same data set
@pytest.mark.parametrize(
    ("split", "warned"), [("auto", ["train"]), ("all", ["test", "train", "valid"]), ("test", ["test"])]
)
def test_the_same_data_set(tmp_path, split, warned, seed):
    store, heard = store_and_heard(tmp_path, split, seed=seed)
    lines = {name: overlap(heard, store, name) for name in ("test", "train", "valid")}
    assert [name for name, line in lines.items() if line] == warned
    for name in warned:
        assert f"pretrained on the split {name!r} of gtzan too" in lines[name]
        assert "\n" not in lines[name]


def test_another_data_set_is_not_warned_of(tmp_path):
    store, heard = store_and_heard(tmp_path, "all", scored=("magnatagatune", "pons"), seed=1)
    assert heard["fingerprint"] != store.fingerprint
    assert overlap(heard, store, "test") is None
    assert overlap(None, store, "test") is None


def test_the_same_audio_by_another_name_or_none(tmp_path):
    store, heard = store_and_heard(tmp_path, "all", scored=("another", ""))
    assert "'test' of another too" in overlap(heard, store, "test")
    unnamed = AudioStore(split_store(tmp_path / "UNNAMED", SPLITS))
    assert f"'test' of {unnamed.path} too" in overlap({**heard, "splits": {"test": 1}}, unnamed, "test")
    assert overlap({**heard, "splits": {"train": 2}}, unnamed, "test") is None


@pytest.mark.parametrize("seed", [0, 1])
def test_another_fold_may_have_been_heard(tmp_path, seed):
    folds = {"heard": ("gtzan", "random10, fold 0, seed 0"), "scored": ("gtzan", "random10, fold 1, seed 0")}
    store, heard = store_and_heard(tmp_path, "auto", **folds, seed=seed)
    assert overlap(heard, store, "test") == (
        "the upstream was pretrained on gtzan, split random10, fold 0, seed 0, this store is gtzan, split "
        "random10, fold 1, seed 0: it may have heard these tracks"
    )


def test_all_of_the_same_audio_was_heard_whatever_the_fold(tmp_path):
    store, heard = store_and_heard(tmp_path, "all", scored=("gtzan", "fold 1"), heard=("gtzan", "fold 0"))
    assert "pretrained on the split 'test' of gtzan too" in overlap(heard, store, "test")
