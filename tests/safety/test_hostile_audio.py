"""Files of one sample, and names that a terminal would obey, through everything that meets them."""

import logging
import re

import numpy as np
import soundfile
from s3prl.pretrain.augment import AugmentConfig
from s3prl.pretrain.crops.dataset import CropPairs, DataConfig
from s3prl.pretrain.training.health import refusal

from s3prl_pemr.covers.track import hear
from s3prl_pemr.prepare.__main__ import main as prepare
from s3prl_pemr.store import AudioStore
from s3prl_pemr.store.groups import Group, write_groups
from s3prl_pemr.store.shared_music import shared_lines

EVIL = "a\nb\x1b[31m\u202e.wav"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")  # but for the ends of lines


def test_files_of_one_sample(tmp_path):
    (tmp_path / "SRC").mkdir()
    for number, suffix in enumerate(("wav", "flac", "ogg")):
        soundfile.write(tmp_path / "SRC" / f"{number}.{suffix}", np.full(1, 0.5), 16_000)
    assert prepare(["folder", str(tmp_path / "SRC"), str(tmp_path / "STORE"), "--jobs", "1"]) == 0
    store = AudioStore(tmp_path / "STORE")
    assert store.length_samples.tolist() == [1] * 3
    pairs = CropPairs(store, DataConfig("STORE", train_batch_size=2), AugmentConfig(), None, 16_000, 128)
    batch = pairs.__getitems__([(0, 0), (0, 2)])
    assert (
        batch.crops.shape == (4, 43_200) and (batch.crops[:, 1:] == 0).all() and (batch.crops[:, 0] > 0).all()
    )
    heard = hear(str(tmp_path / "SRC" / "0.wav"))
    assert heard.wav.shape == (1,) and np.isfinite(heard.cqt).all()


def test_no_name_is_obeyed_where_music_is_shared_or_a_loss_is_wrong(tmp_path, capfd, caplog):
    caplog.set_level(logging.INFO)
    wav = np.random.default_rng(0).uniform(-0.5, 0.5, 4_000)
    (tmp_path / "SRC").mkdir()
    for name in (EVIL, f"x{EVIL}"):
        soundfile.write(tmp_path / "SRC" / name, wav, 16_000)
    arguments = ["folder", str(tmp_path / "SRC"), str(tmp_path / "STORE"), "--jobs", "1"]
    assert prepare([*arguments, "--split-by", "50/0/50", "--split-unit", "track"]) == 0
    store = AudioStore(tmp_path / "STORE")
    write_groups(tmp_path / "STORE", {track: Group("\x1b]0;x\x07", "\x9b2J") for track in store.tracks})
    lines = [*shared_lines(store), refusal(1, store.tracks, tmp_path, writes=True)]
    assert len(lines) == 4 and all(r"a\nb\x1b[31m\u202e.wav" in line for line in lines)
    assert not any(OBEYED.search(text) or "\n" in text for text in lines)
    captured = capfd.readouterr()
    assert "recordings that two splits share: 1" in captured.out
    assert not OBEYED.search(captured.out) and not OBEYED.search(captured.err.replace("\r", ""))
