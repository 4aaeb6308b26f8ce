"""What is damaged or cut is refused; headers that say too little do not shorten a file."""

import struct
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from encoding import ape_tag, encode, flipped, half, id3_tag, missing, ogg_pages, zeroed

from s3prl_pemr.audio import UnreadableAudio, mixing, plausible, read_audio, read_header
from s3prl_pemr.audio.ogg import _ends_with

RATE, SECONDS = 22050, 20
ID3, APE = id3_tag(2000), ape_tag(b"x" * 2000)


def noise(seconds=SECONDS, rate=RATE):
    return np.random.default_rng(0).standard_normal((seconds * rate, 2)) * 0.1


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of 20 s in each format."""
    folder = tmp_path_factory.mktemp("whole")
    for name in ("wav", "aiff", "au", "flac", "ogg", "mp3"):
        soundfile.write(folder / f"a.{name}", noise(), RATE)
    soundfile.write(folder / "a.opus", noise(rate=48000), 48000, format="OGG", subtype="OPUS")
    encode(folder / "a.m4a", "aac", "ipod", noise(), RATE)
    encode(folder / "a.webm", "libopus", "webm", noise(rate=48000), 48000)
    encode(folder / "a.wv", "wavpack", "wv", noise(), RATE)
    return {path.suffix[1:]: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def read_seconds(tmp_path):
    def read(name, data):
        path = tmp_path / f"x.{name}"
        path.write_bytes(data)
        return len(read_audio(path)) / 16000

    return read


@pytest.fixture
def reason(tmp_path):
    def refused(name, data):
        path = tmp_path / f"x.{name}"
        path.write_bytes(data)
        with pytest.raises(UnreadableAudio) as caught:
            read_audio(path)
        assert "\n" not in caught.value.reason
        return caught.value.reason

    return refused


@pytest.mark.parametrize("name", ["wav", "aiff", "au", "flac", "ogg", "opus", "mp3", "m4a", "webm", "wv"])
def test_half_a_file_is_refused(whole, read_seconds, reason, name):
    assert read_seconds(name, whole[name]) == pytest.approx(SECONDS, abs=0.05)
    assert "truncated" in reason(name, half(whole[name]))


@pytest.mark.parametrize("damage", [zeroed, missing])
@pytest.mark.parametrize("name", ["flac", "ogg", "opus", "mp3", "m4a", "webm", "wv"])
def test_a_damaged_kilobyte_is_found(whole, reason, name, damage):
    assert "damaged" in reason(name, damage(whole[name])) or "truncated" in reason(name, damage(whole[name]))


@pytest.mark.parametrize("name", ["flac", "ogg", "opus", "wv"])
def test_one_flipped_bit_is_found_where_there_is_a_checksum(whole, reason, name):
    assert "after" in reason(name, flipped(whole[name])) or "truncated" in reason(name, flipped(whole[name]))


def test_a_wav_that_lacks_a_kilobyte_is_truncated(whole, reason):
    # 256 frames of 4 bytes.
    assert reason("wav", missing(whole["wav"])) == "truncated: 19.99 s could be read, its header says 20.00 s"


@pytest.mark.parametrize("name", ["ogg", "opus"])
def test_every_page_of_an_ogg_file_counts(whole, reason, name):
    data = whole[name]
    pages = ogg_pages(data)
    assert len(pages) > 10
    edges = [*pairwise([*pages, len(data)])]
    for start, end in [*edges[2:5], edges[len(edges) // 2], *edges[-3:]]:
        assert (
            "s are missing after" in (gone := reason(name, data[:start] + data[end:])) or "truncated" in gone
        )
        assert reason(name, data[: end - 1] + bytes([data[end - 1] ^ 4]) + data[end:])
        assert "its last page is missing" in reason(name, data[:start]) or start == edges[2][0]


def music(seconds, seed):
    """Chords under clicks: an encoder goes to short blocks and back at each of them. (samples, 2)."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    wav = sum(np.sin(2 * np.pi * hertz * time) for hertz in rng.uniform(100, 2000, 4)) / 40
    clicks = rng.integers(len(time) - 200, size=int(4 * seconds))
    for click in clicks:
        wav[click : click + 200] += rng.standard_normal(200) * np.exp(-np.arange(200) / 40) * 0.5
    return np.repeat(wav[:, None], 2, axis=1)


def test_vorbis_whose_blocks_change_their_length_is_whole(tmp_path, read_seconds, reason):
    """As that of real music: FFmpeg leaves holes in its time stamps there, and none is one of the sound."""
    path = tmp_path / "music.ogg"
    for seed, seconds in enumerate(np.linspace(1.2, 3.6, 10)):
        soundfile.write(path, music(seconds, seed), RATE)
        data = path.read_bytes()
        assert read_seconds("ogg", data) == pytest.approx(seconds, abs=1e-3)
        last = ogg_pages(data)[-1]
        assert "last page is missing" in reason("ogg", data[:last])
        assert reason("ogg", data[:-1] + bytes([data[-1] ^ 4]))
    soundfile.write(path, music(20, 0), RATE)
    data = path.read_bytes()
    for start, end in [*pairwise(ogg_pages(data))][2:-1]:
        gone = reason("ogg", data[:start] + data[end:])
        assert "missing after" in gone or "truncated" in gone


@pytest.mark.parametrize(
    ("flags", "may_continue", "ends"),
    [(5, True, True), (5, False, False), (4, True, False), (1, True, False)],
)
def test_the_last_packet_of_an_ogg_file_may_end_on_a_page_of_its_own(tmp_path, flags, may_continue, ends):
    """Some encoders do so; libsndfile's does not."""

    def page(flags, lacing):
        return b"OggS\0" + bytes([flags]) + bytes(20) + bytes([1, lacing]) + bytes(lacing)

    first = page(0, 9)
    path = tmp_path / "a.ogg"
    path.write_bytes(first + page(0, 255) + page(flags, 7))
    assert _ends_with(path, len(first), may_continue) is ends
    assert _ends_with(path, 0, may_continue) is False  # not the page before


def test_several_ogg_streams_are_refused(whole, reason):
    assert (
        reason("ogg", whole["ogg"] * 2)
        == "several streams one after the other, the first of 20.0 s; split it"
    )


@pytest.mark.parametrize("between", [b"", id3_tag(500), b"TAG" + b" " * 125])
def test_joined_mp3_files_are_read_to_the_end(whole, read_seconds, reason, between):
    # The encoder's delay and padding in the middle stay: up to three frames.
    joined = whole["mp3"] + between + whole["mp3"]
    assert 40 <= read_seconds("mp3", joined) < 40.15
    assert "its header says 40" in reason("mp3", whole["mp3"] + between + half(whole["mp3"]))


@pytest.mark.parametrize("frames", [0, None, 100])
def test_a_length_tag_that_says_too_little_does_not_shorten(whole, read_seconds, frames):
    data = bytearray(whole["mp3"])
    at = max(data.find(b"Xing"), data.find(b"Info"))
    if frames is None:
        data[at + 7] &= ~1
    else:
        data[at + 8 : at + 12] = struct.pack(">I", frames)
    assert read_seconds("mp3", data) == pytest.approx(SECONDS, abs=0.11)


@pytest.mark.parametrize("before", [ID3 + id3_tag(3000), APE, bytes(5000), ID3 + APE])
def test_truncation_does_not_hide_behind_tags_and_padding(whole, read_seconds, reason, before):
    assert read_seconds("mp3", before + whole["mp3"]) == pytest.approx(SECONDS, abs=0.11)
    assert "truncated: 10." in reason("mp3", before + half(whole["mp3"]))


@pytest.mark.parametrize("after", [APE, b"TAG" + b" " * 125, bytes(5000), ape_tag(bytes(range(256)) * 99)])
def test_tags_after_an_mp3_are_no_damage(whole, read_seconds, after):
    assert read_seconds("mp3", whole["mp3"] + after) == pytest.approx(SECONDS, abs=0.11)


@pytest.mark.parametrize("name", ["wav", "aiff"])
def test_a_header_that_says_half_is_refused(whole, reason, name):
    data = bytearray(whole[name])
    mark, order = (b"data", "<I") if name == "wav" else (b"SSND", ">I")
    at = data.find(mark) + 4
    size_bytes = struct.unpack(order, data[at : at + 4])[0]
    data[at : at + 4] = struct.pack(order, size_bytes // 2)
    assert "its header says 10.0 s, and 882,0" in (why := reason(name, data))
    assert why.endswith("write it anew, for example with 'ffmpeg -ignore_length 1 -i OLD.wav NEW.wav'")


@pytest.mark.parametrize(("says", "shown"), [(16, "0.0"), (RATE * SECONDS // 2, "10.0")])
def test_a_flac_whose_header_says_less_is_refused(whole, reason, says, shown):
    data = bytearray(whole["flac"])
    length = int.from_bytes(data[21:26], "big")  # STREAMINFO: 4 bits of the width, 36 of the length
    assert length & (1 << 36) - 1 == RATE * SECONDS
    data[21:26] = (length >> 36 << 36 | says).to_bytes(5, "big")
    assert reason("flac", data).startswith(f"its header says {shown} s, and it holds 20.0 s")


def test_chunks_and_padding_behind_the_samples_are_no_sound(whole, read_seconds):
    tag = b"LIST" + struct.pack("<I", 40000) + b"INFO" + bytes(39996)
    assert read_seconds("wav", whole["wav"] + tag) == SECONDS
    assert read_seconds("wav", whole["wav"] + bytes(40000)) == SECONDS


def test_a_rate_that_is_none_is_refused(whole, reason, tmp_path):
    data = bytearray(whole["flac"])
    assert int.from_bytes(data[18:21], "big") >> 4 == RATE  # STREAMINFO: 20 bits
    data[18:21] = (4 << 4 | data[20] & 0xF).to_bytes(3, "big")
    assert reason("flac", data) == "damaged: its header says 4 Hz; rates of 1,000 to 768,000 Hz are read"
    assert not read_header(tmp_path / "x.flac").plausible
    soundfile_rate = bytearray(whole["wav"])
    soundfile_rate[24:28] = struct.pack("<I", 1_000_000)
    assert "1000000 Hz" in reason("wav", soundfile_rate)


def test_a_length_that_no_codec_packs_into_the_file_is_implausible(whole, tmp_path):
    data = bytearray(whole["mp3"])
    at = max(data.find(b"Xing"), data.find(b"Info"))
    data[at + 8 : at + 12] = struct.pack(">I", 2_000_000_000)
    (tmp_path / "x.mp3").write_bytes(data)
    header = read_header(tmp_path / "x.mp3")
    assert header.seconds > 10_000 * 3600 and not header.plausible
    (tmp_path / "x.mp3").write_bytes(whole["mp3"])
    assert read_header(tmp_path / "x.mp3").plausible
    assert read_header(tmp_path / "x.mp3").seconds == pytest.approx(SECONDS, abs=0.1)


def test_more_than_any_codec_packs_into_a_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(plausible, "LEAST_BITS_PER_SAMPLE", 20)
    soundfile.write(tmp_path / "x.wav", noise(1), RATE, subtype="PCM_U8")  # 2 channels of 8 bits
    with pytest.raises(
        UnreadableAudio, match="damaged: more than 1 s in 44,[0-9]+ bytes, which no codec can"
    ):
        read_audio(tmp_path / "x.wav")
    monkeypatch.setattr(mixing, "MOST_HOURS", 0.5 / 3600)
    with pytest.raises(UnreadableAudio, match="hours; split it"):
        read_audio(tmp_path / "x.wav")


def test_silence_of_any_codec_is_plausible(tmp_path):
    for name, rate in (("flac", 44100), ("ogg", 44100), ("mp3", 8000)):
        with soundfile.SoundFile(tmp_path / f"x.{name}", "w", rate, 1) as file:
            for _ in range(60):
                file.write(np.zeros(rate))
        assert len(read_audio(tmp_path / f"x.{name}")) == pytest.approx(60 * 16000, abs=2000)
