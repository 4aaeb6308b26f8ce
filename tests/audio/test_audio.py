import os
import tracemalloc

import numpy as np
import pytest
import soundfile
import soxr
from packaging.version import Version

from s3prl_pemr.audio import UnreadableAudio, read_audio, read_header, to_int16

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
    old = Version(soundfile.__version__) < Version("0.13")  # its libsndfile counts an mp3's padding too
    whole_frames = 0.001 if not name.endswith("mp3") else 0.1 if old else 0.05
    assert read_header(path).seconds == pytest.approx(3.0, abs=whole_frames)


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
        # FFmpeg decodes the mp3, libsndfile the others: to the sample.
        assert np.allclose(
            read_audio(tmp_path / name, 44100), whole, rtol=0, atol=1e-5 * name.endswith("mp3")
        )


def test_a_rate_that_fits_is_not_resampled(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(22050), 22050, subtype="FLOAT")
    assert np.array_equal(read_audio(tmp_path / "a.wav", sample_rate=22050), tone(22050))
    assert np.array_equal(read_audio(tmp_path / "a.wav"), soxr.resample(tone(22050), 22050, 16000))


def test_many_channels_and_long_files_are_read_in_parts(tmp_path):
    wav = np.zeros((6000, 1000), np.int16)
    wav[:, 0] = np.arange(6000) * 5
    soundfile.write(tmp_path / "a.wav", wav, 1000)
    read_audio(tmp_path / "a.wav")  # what is allocated once
    tracemalloc.start()
    read = read_audio(tmp_path / "a.wav", 1000)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.allclose(read, np.arange(6000) / 200 / 32768, atol=1e-7)
    assert peak_bytes < wav.size * 4 / 3  # all at once as floats


def test_int16_clips_and_counts_what_is_above_full_scale():
    # 1.0 itself is the largest value a player shows: 32767, not counted.
    samples, clipped = to_int16(np.array([0.5, 1.0, -1.0, 2.8, -1.5, 1 / 32768], np.float32))
    assert samples.tolist() == [16384, 32767, -32768, 32767, -32768, 1]
    assert clipped == 2


def test_what_is_missing_or_no_audio_is_named(tmp_path):
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "text.wav").write_text("not a sound\n" * 100)
    (tmp_path / "text.mp3").write_text("not a sound\n" * 100)
    soundfile.write(tmp_path / "nothing.wav", np.zeros(0), 16000)
    assert reason(tmp_path / "missing.wav") == "no such file"
    assert reason(tmp_path) == "is a folder"
    assert reason(tmp_path / "empty.mp3") == "is empty (0 bytes)"
    not_audio = "not audio, or in a format that neither libsndfile nor FFmpeg knows"
    assert reason(tmp_path / "text.wav").startswith(not_audio)
    assert reason(tmp_path / "text.mp3").startswith(not_audio)
    assert reason(tmp_path / "nothing.wav") == "holds no samples"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_counted(tmp_path, value):
    wav = tone(44100)
    wav[[7, 70]] = value
    soundfile.write(tmp_path / "a.wav", wav, 44100, subtype="FLOAT")
    assert reason(tmp_path / "a.wav") == "2 of 132300 samples are NaN or infinite"


def test_wav_written_to_a_pipe_is_read(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(16000), 16000)
    data = bytearray(path.read_bytes())
    at = data.find(b"data") + 4
    data[at : at + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert len(read_audio(path)) == 48000


def test_aiff_written_to_a_pipe_is_read(tmp_path):
    path = tmp_path / "a.aiff"
    soundfile.write(path, tone(16000), 16000)
    data = bytearray(path.read_bytes())
    for at in (4, data.find(b"COMM") + 10, data.find(b"SSND") + 4):
        data[at : at + 4] = b"\x7f\xff\xff\xff"
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


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_not_utf_8(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9 'one' \"two\".wav")
    soundfile.write(tmp_path / "a.wav", tone(16000), 16000)
    (tmp_path / "a.wav").rename(path)
    assert len(read_audio(path)) == 48000
