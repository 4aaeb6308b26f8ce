import os

import numpy as np
import pytest
import soundfile
import soxr

from s3prl_pemr.audio import UnreadableAudio, header_seconds, read_audio, to_int16

TONE_HZ, LEVEL = 1000, 0.5


def tone(sample_rate, seconds=3.0):
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return (LEVEL * np.sin(2 * np.pi * TONE_HZ * time)).astype(np.float32)


def peak_hz_and_decibels(wav, sample_rate=16000):
    """Loudest frequency of the middle second (1 Hz a bin), and its level against LEVEL."""
    middle = wav[len(wav) // 2 - sample_rate // 2 :][:sample_rate]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(sample_rate)))
    rms = np.sqrt(np.mean(middle**2))
    return int(spectrum.argmax()), 20 * np.log10(rms / (LEVEL / np.sqrt(2)))


def reason(path):
    with pytest.raises(UnreadableAudio) as caught:
        read_audio(path)
    assert caught.value.path == str(path)
    assert "\n" not in str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize(
    ("name", "sample_rate", "channels", "tolerance_decibels"),
    [
        ("a.wav", 16000, 1, 0.001),
        ("a.wav", 44100, 2, 0.01),
        ("a.wav", 8000, 1, 0.01),
        ("a.wav", 96000, 6, 0.01),
        ("a.flac", 22050, 2, 0.01),
        ("a.aiff", 48000, 1, 0.01),
        ("a.au", 22050, 1, 0.01),
        ("a.ogg", 44100, 2, 0.2),
        ("a.opus", 48000, 2, 0.3),
        ("a.mp3", 44100, 2, 0.2),
        ("a.mp3", 16000, 1, 0.4),
    ],
)
def test_a_tone_keeps_its_frequency_level_and_length(
    tmp_path, name, sample_rate, channels, tolerance_decibels
):
    path = tmp_path / name
    wav = np.stack([tone(sample_rate)] * channels, axis=1)
    if name.endswith("opus"):
        soundfile.write(path, wav, sample_rate, format="OGG", subtype="OPUS")
    else:
        soundfile.write(path, wav, sample_rate)
    read = read_audio(path)
    assert read.dtype == np.float32 and read.shape == (48000,)
    hertz, decibels = peak_hz_and_decibels(read)
    assert hertz == TONE_HZ
    assert abs(decibels) < tolerance_decibels
    assert header_seconds(path) == pytest.approx(3.0, abs=0.001)


def test_16_bit_16_khz_passes_unchanged(tmp_path):
    samples = np.random.default_rng(0).integers(-32768, 32768, 5000).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", samples, 16000)
    back, clipped = to_int16(read_audio(tmp_path / "a.wav"))
    assert np.array_equal(back, samples) and clipped == 0


def test_channels_are_averaged(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.tile([[0.5, 0.25]], (100, 1)), 16000, subtype="FLOAT")
    assert np.allclose(read_audio(tmp_path / "a.wav"), 0.375)


def test_reading_in_blocks_equals_reading_at_once(tmp_path):
    # 8 s at 44.1 kHz are two blocks; the seek that soundfile would make between them must not show.
    wav = np.random.default_rng(0).standard_normal(8 * 44100) * 0.1
    for name in ("a.mp3", "a.ogg", "a.flac"):
        soundfile.write(tmp_path / name, wav, 44100)
        whole, _ = soundfile.read(tmp_path / name, dtype="float32")
        assert np.array_equal(read_audio(tmp_path / name, 44100), whole)


def test_a_rate_that_fits_is_not_resampled(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(22050), 22050, subtype="FLOAT")
    assert np.array_equal(read_audio(tmp_path / "a.wav", sample_rate=22050), tone(22050))
    assert np.array_equal(read_audio(tmp_path / "a.wav"), soxr.resample(tone(22050), 22050, 16000))


def test_int16_clips_and_counts_what_is_above_full_scale():
    # 1.0 itself is the largest value a player shows: 32767, not counted.
    samples, clipped = to_int16(np.array([0.5, 1.0, -1.0, 2.8, -1.5, 1 / 32768], np.float32))
    assert samples.tolist() == [16384, 32767, -32768, 32767, -32768, 1]
    assert clipped == 2


def test_what_is_missing_or_no_audio_is_named(tmp_path):
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "text.wav").write_text("not a sound\n" * 100)
    (tmp_path / "text.mp3").write_text("not a sound\n" * 100)
    (tmp_path / "song.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    soundfile.write(tmp_path / "nothing.wav", np.zeros(0), 16000)
    assert reason(tmp_path / "missing.wav") == "no such file"
    assert reason(tmp_path) == "is a folder"
    assert reason(tmp_path / "empty.mp3") == "is empty (0 bytes)"
    assert reason(tmp_path / "text.wav") == "not audio, or in a format that libsndfile does not know"
    assert reason(tmp_path / "text.mp3") == "not audio, or in a format that libsndfile does not know"
    assert "libsndfile does not read .m4a files; convert it" in reason(tmp_path / "song.m4a")
    assert reason(tmp_path / "nothing.wav") == "holds no samples"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_counted(tmp_path, value):
    wav = tone(44100)
    wav[[7, 70]] = value
    soundfile.write(tmp_path / "a.wav", wav, 44100, subtype="FLOAT")
    assert reason(tmp_path / "a.wav") == "2 of 132300 samples are NaN or infinite"


@pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.au", "a.flac", "a.ogg", "a.mp3"])
def test_a_truncated_file_is_refused_and_not_shorter(tmp_path, name):
    path = tmp_path / name
    soundfile.write(path, np.random.default_rng(0).standard_normal(20 * 22050) * 0.1, 22050)
    assert len(read_audio(path)) == 20 * 16000
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "truncated" in reason(path)


def test_a_damaged_mp3_is_refused(tmp_path):
    path = tmp_path / "a.mp3"
    soundfile.write(path, np.random.default_rng(0).standard_normal(20 * 22050) * 0.1, 22050)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(data)
    assert "damaged or truncated: decoding stopped after" in reason(path)


def mp3_without_length_tag(path, mode, gains):
    """20 s of noise, one gain for each half, so that a variable bit rate varies."""
    wav = np.random.default_rng(0).standard_normal(20 * 44100) * 0.1 * np.repeat(gains, 10 * 44100)
    soundfile.write(path, wav, 44100, format="MP3", bitrate_mode=mode, compression_level=0.5)
    data = path.read_bytes()
    assert b"Xing" in data[:200] or b"Info" in data[:200]
    path.write_bytes(data[data.find(data[:2], 4) :])  # the tag is the first frame


def test_mp3_of_constant_rate_without_length_tag_is_read(tmp_path):
    mp3_without_length_tag(tmp_path / "a.mp3", "CONSTANT", (1, 0.001))
    # The tag also said how much padding to drop: up to two frames of 1152 samples.
    assert len(read_audio(tmp_path / "a.mp3")) == pytest.approx(20 * 16000, abs=2304 * 16 / 44.1)


def test_mp3_of_variable_rate_without_length_tag_is_refused(tmp_path):
    mp3_without_length_tag(tmp_path / "a.mp3", "VARIABLE", (1, 0.001))
    assert soundfile.info(tmp_path / "a.mp3").duration < 19  # guessed; libsndfile reads no further
    assert "of its 20.0 s; rewrite it with 'ffmpeg" in reason(tmp_path / "a.mp3")


def test_wav_written_to_a_pipe_is_read(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(16000), 16000)
    data = bytearray(path.read_bytes())
    at = data.find(b"data") + 4
    data[at : at + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert len(read_audio(path)) == 48000


def test_flac_written_to_a_pipe_is_read(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, tone(16000), 16000)
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0  # STREAMINFO: 36 bits of length, then the checksum
    data[22:42] = bytes(20)
    path.write_bytes(data)
    assert len(read_audio(path)) == 48000


def test_an_ogg_of_two_streams_is_refused(tmp_path):
    path = tmp_path / "a.ogg"
    soundfile.write(path, tone(16000), 16000)
    path.write_bytes(path.read_bytes() * 2)
    assert "libsndfile reads the first only, 3.0 s" in reason(path)


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_not_utf_8(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9 'one' \"two\".wav")
    soundfile.write(tmp_path / "a.wav", tone(16000), 16000)
    (tmp_path / "a.wav").rename(path)
    assert len(read_audio(path)) == 48000
