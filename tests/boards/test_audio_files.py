"""Audio files of a data set without torchcodec."""

import sys

import numpy as np
import pytest
import soundfile
from cover_store import polyphony

pytest.importorskip("mteb")

from datasets import Audio, Dataset

from s3prl_pemr.audio import read_audio
from s3prl_pemr.boards.audio_files import read_without_torchcodec


@pytest.fixture
def without_torchcodec(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    monkeypatch.setattr(Audio, "decode_example", Audio.decode_example)  # put back at the end
    read_without_torchcodec()


@pytest.fixture
def stereo(tmp_path):
    path = tmp_path / "stereo.flac"
    soundfile.write(path, np.stack([polyphony(1, 44_100), polyphony(1, 44_100, 1)], axis=1), 44_100)
    return path


def test_files_and_bytes_are_read_as_prepare_reads_them(without_torchcodec, stereo):
    rows = [{"bytes": None, "path": str(stereo)}, {"bytes": stereo.read_bytes(), "path": "stereo.flac"}]
    files = Dataset.from_dict({"audio": rows})
    for rate, column in ((16_000, Audio()), (8_000, Audio(sampling_rate=8_000))):
        for row in files.cast_column("audio", column):
            assert row["audio"]["sampling_rate"] == rate
            np.testing.assert_array_equal(row["audio"]["array"], read_audio(stereo, rate))


def test_a_file_that_cannot_be_read_is_one_line(without_torchcodec):
    files = Dataset.from_dict({"audio": [{"bytes": b"no audio", "path": "song.mp3"}]}).cast_column(
        "audio", Audio()
    )
    with pytest.raises(ValueError, match="^song.mp3: not audio"):
        files[0]


def test_nothing_is_done_where_torchcodec_is(monkeypatch):
    def kept(*_, **__):
        pass

    for name in ("torchcodec", "torchcodec.decoders"):
        monkeypatch.setitem(sys.modules, name, type(sys)(name))
    monkeypatch.setattr(Audio, "decode_example", kept)
    read_without_torchcodec()
    assert Audio.decode_example is kept
