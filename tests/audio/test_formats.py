"""What FFmpeg reads beside libsndfile."""

import numpy as np
import pytest
from encoding import encode

from s3prl_pemr.audio import UnreadableAudio, read_audio, read_header, to_int16


@pytest.mark.parametrize(
    ("name", "codec", "container", "rate"),
    [
        ("a.m4a", "aac", "ipod", 44100),
        ("a.mp4", "aac", "mp4", 48000),
        ("a.m4a", "alac", "ipod", 44100),
        ("a.aac", "aac", "adts", 44100),
        ("a.wma", "wmav2", "asf", 44100),
        ("a.webm", "libopus", "webm", 48000),
        ("a.mka", "flac", "matroska", 22050),
        ("a.ac3", "ac3", "ac3", 48000),
        ("a.oga", "flac", "ogg", 44100),
        ("a.mka", "libmp3lame", "matroska", 44100),
        ("a.wv", "wavpack", "wv", 44100),
        ("a.mp2", "mp2", "mp2", 44100),
    ],
)
def test_a_tone_keeps_its_frequency_and_level(tmp_path, name, codec, container, rate):
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(3 * rate) / rate)
    encode(tmp_path / name, codec, container, np.stack([tone, tone], axis=1), rate)
    read = read_audio(tmp_path / name)
    assert len(read) == pytest.approx(48000, abs=0.08 * 16000)  # delay and padding where no header tells them
    middle = read[16000:32000]
    assert int(np.abs(np.fft.rfft(middle * np.hanning(16000))).argmax()) == 1000
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.06)  # LAME scales by 0.95
    assert read_header(tmp_path / name).seconds == pytest.approx(3, abs=0.5)


@pytest.mark.parametrize(
    ("name", "codec", "container"), [("a.mka", "flac", "matroska"), ("a.m4a", "alac", "ipod")]
)
def test_lossless_codecs_pass_16_bits_unchanged(tmp_path, name, codec, container):
    samples = np.random.default_rng(0).integers(-32768, 32768, 20000).astype(np.int16)
    encode(tmp_path / name, codec, container, np.stack([samples, samples], axis=1) / 32768, 16000)
    back, clipped = to_int16(read_audio(tmp_path / name))
    assert np.array_equal(back, samples) and clipped == 0


def test_a_playlist_opens_no_other_file(tmp_path):
    encode(tmp_path / "a.aac", "aac", "adts", np.zeros((16000, 2)), 16000)
    for text in (
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\na.aac\n",
        "ffconcat version 1.0\nfile a.aac\n",
    ):
        (tmp_path / "list.mp3").write_text(text)
        with pytest.raises(UnreadableAudio, match="not audio"):
            read_audio(tmp_path / "list.mp3")
