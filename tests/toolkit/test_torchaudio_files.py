import numpy as np
import pytest
import soundfile
import torch

from s3prl_pemr.toolkit import torchaudio_files, torchaudio_sox

RATE = 16000


@pytest.fixture
def stereo(tmp_path):
    """(path, samples (time, 2) as int16) of a 16-bit wav file of 1000 frames."""
    samples = np.random.default_rng(0).integers(-20000, 20000, (1000, 2)).astype(np.int16)
    path = tmp_path / "stereo.wav"
    soundfile.write(path, samples, RATE)
    return path, samples


def test_load(stereo):
    path, samples = stereo
    wav, rate = torchaudio_files.load(path)
    assert (rate, wav.dtype, wav.shape) == (RATE, torch.float32, (2, 1000))
    np.testing.assert_allclose(wav.numpy(), samples.T / 32768, atol=1e-7)
    assert wav.is_contiguous()


def test_load_a_part_in_another_layout(stereo):
    path, samples = stereo
    wav, _ = torchaudio_files.load(
        str(path), frame_offset=100, num_frames=50, normalize=False, channels_first=False
    )
    assert wav.dtype == torch.int16
    np.testing.assert_array_equal(wav.numpy(), samples[100:150])
    past_the_end, _ = torchaudio_files.load(path, frame_offset=990, num_frames=50)
    assert past_the_end.shape == (2, 10)
    assert torchaudio_files.load(path, frame_offset=5000)[0].shape == (2, 0)


def test_load_from_an_open_file(stereo):
    path, samples = stereo
    with path.open("rb") as file:
        assert torchaudio_files.load(file)[0].shape == (2, 1000)


def test_what_is_no_audio_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing.wav: no such audio file"):
        torchaudio_files.load(tmp_path / "missing.wav")
    (tmp_path / "text.wav").write_text("not audio")
    with pytest.raises(RuntimeError, match="text.wav: not an audio file"):
        torchaudio_files.info(tmp_path / "text.wav")


@pytest.mark.parametrize(
    ("suffix", "subtype", "encoding", "bits"),
    [
        ("wav", "PCM_16", "PCM_S", 16),
        ("wav", "FLOAT", "PCM_F", 32),
        ("wav", "ULAW", "ULAW", 8),
        ("flac", "PCM_24", "FLAC", 24),
        ("ogg", "VORBIS", "VORBIS", 0),
        ("mp3", "MPEG_LAYER_III", "MP3", 0),
    ],
)
def test_info(tmp_path, suffix, subtype, encoding, bits):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, np.zeros((8000, 2), np.float32), RATE, subtype=subtype)
    found = torchaudio_files.info(path)
    assert (found.sample_rate, found.num_channels) == (RATE, 2)
    assert (found.encoding, found.bits_per_sample) == (encoding, bits)
    assert found.num_frames == soundfile.info(path).frames


@pytest.mark.parametrize(
    ("dtype", "options", "encoding"),
    [
        (torch.float32, {}, ("PCM_F", 32)),
        (torch.int16, {}, ("PCM_S", 16)),
        (torch.float32, {"bits_per_sample": 16}, ("PCM_S", 16)),
        (torch.float32, {"encoding": "PCM_S", "bits_per_sample": 24}, ("PCM_S", 24)),
    ],
)
def test_save(tmp_path, dtype, options, encoding):
    wav = torch.tensor([[0.0, 0.5, -0.5], [0.25, 0.0, -1.0]])
    source = (wav * 32767).to(dtype) if dtype == torch.int16 else wav
    torchaudio_files.save(tmp_path / "a.wav", source, RATE, **options)
    found = torchaudio_files.info(tmp_path / "a.wav")
    assert (found.encoding, found.bits_per_sample) == encoding
    torch.testing.assert_close(torchaudio_files.load(tmp_path / "a.wav")[0], wav, atol=1e-4, rtol=0)


def test_save_refuses_what_has_no_channels(tmp_path):
    with pytest.raises(ValueError, match=r"expected \(channels, time\), got a tensor of shape \(5,\)"):
        torchaudio_files.save(tmp_path / "a.wav", torch.zeros(5), RATE)


def test_speech_commands_effects_on_a_file(tmp_path):
    # 440 Hz in one of two channels at 8 kHz -> one channel of half the height at 16 kHz, 3 dB down
    seconds = np.arange(8000) / 8000
    tone = np.sin(2 * np.pi * 440 * seconds).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, 0 * tone], axis=1), 8000, subtype="FLOAT")
    effects = [["channels", "1"], ["rate", "16000"], ["gain", "-3.0"]]
    wav, rate = torchaudio_sox.apply_effects_file(str(tmp_path / "a.wav"), effects)
    assert (rate, wav.shape, wav.dtype) == (16000, (1, 16000), torch.float32)
    expected = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000) * 0.5 * 10 ** (-3 / 20)
    np.testing.assert_allclose(wav[0, 500:-500].numpy(), expected[500:-500], atol=1e-3)


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (["norm"], [[0.5, -1.0, 0.25]]),
        (["gain", "-n"], [[0.5, -1.0, 0.25]]),
        (["gain", "40"], [[1.0, -1.0, 1.0]]),  # clipped, as SoX does
        (["reverse"], [[0.05, -0.2, 0.1]]),
        (["pad", "0.0001", "0.0002"], [[0, 0.1, -0.2, 0.05, 0, 0]]),  # at 10 kHz: 1 and 2 samples
        (["trim", "0.0001", "0.0001"], [[-0.2]]),
        (["channels", "2"], [[0.1, -0.2, 0.05]] * 2),
    ],
)
def test_sox_effect(effect, expected):
    wav, rate = torchaudio_sox.apply_effects_tensor(torch.tensor([[0.1, -0.2, 0.05]]), 10000, [effect])
    torch.testing.assert_close(wav, torch.tensor(expected, dtype=torch.float32))
    assert rate == 10000


def test_silence_has_no_peak():
    wav, _ = torchaudio_sox.apply_effects_tensor(torch.zeros(1, 4), RATE, [["norm"]])
    assert torch.equal(wav, torch.zeros(1, 4))


def test_an_effect_that_only_sox_has_is_refused_in_one_line():
    with pytest.raises(RuntimeError, match="'silence' needs torchaudio<2.9") as caught:
        torchaudio_sox.apply_effects_tensor(torch.zeros(1, 4), RATE, [["silence", "1", "0.1", "0.1%"]])
    assert "\n" not in str(caught.value)
