"""Was the end of an audio file cut off? Each format says how long it should be in its own way."""

import re
from pathlib import Path

import soundfile

# Encoders disagree by a frame or two (26 ms each) about what a length header counts.
TOLERANCE_SECONDS = 0.1
# A wav or aiff written to a pipe declares one of the largest sizes there are: unknown, not truncated.
PLACEHOLDER_BYTES = 0x7FFFF000
# libsndfile's log of the file: "data : 3528000 (should be 1763978)", likewise for aiff (SSND) and au.
DECLARED_BYTES = re.compile(r"^\s*(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
OGG_HEADER_BYTES = 27
# The flags of a page come after its version 0: 4 ends a stream, 2 begins one.
OGG_SECOND_STREAM = re.compile(rb"OggS\x00[\x04\x05].*?OggS\x00\x02", re.DOTALL)
MP3_LENGTH_TAGS = (b"Xing", b"Info", b"VBRI")
# Layer III: kbit/s by the header's bitrate index, for MPEG 1 and for MPEG 2 and 2.5; Hz for MPEG 1.
MP3_KBPS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
MP3_RATES = (44100, 48000, 32000)
MP3_RATE_SHIFT = {
    3: 0,
    2: 1,
    0: 2,
}  # header's version bits: MPEG 1, MPEG 2 (half the rate), MPEG 2.5 (a quarter)


def truncation(path: Path, file: soundfile.SoundFile, frames_read: int) -> str | None:
    """Why the samples that were read are not the whole of the file; None if nothing speaks against them.

    Args:
        path: of the file.
        file: the same, open; its header and log are read.
        frames_read: how many frames decoding gave.

    Returns: a reason in one line, or None.
    """
    if file.format == "MP3":
        return _mp3(path, file, frames_read)
    if file.format == "OGG":
        return _ogg(path, file, frames_read)
    declared = DECLARED_BYTES.search(file.extra_info)
    if declared:
        declared_bytes, actual_bytes = map(int, declared.groups())
        declared_frames = frames_read * declared_bytes / max(actual_bytes, 1)
        if declared_bytes < PLACEHOLDER_BYTES and _short(file, frames_read, declared_frames):
            return _reason(file, frames_read, f"its header says {declared_frames / file.samplerate:.1f} s")
    if file.frames < 1 << 62 and _short(file, frames_read, file.frames):
        return _reason(file, frames_read, f"its header says {file.frames / file.samplerate:.1f} s")
    return None


def _short(file: soundfile.SoundFile, frames_read: int, expected_frames: float) -> bool:
    return frames_read + TOLERANCE_SECONDS * file.samplerate < expected_frames


def _reason(file: soundfile.SoundFile, frames_read: int, why: str) -> str:
    return f"truncated: {frames_read / file.samplerate:.1f} s could be read, {why}"


def _mp3(path: Path, file: soundfile.SoundFile, frames_read: int) -> str | None:
    data = path.read_bytes()
    if data[:3] == b"ID3" and len(data) > 10:
        data = data[_id3_bytes(data) :]
    if any(tag in data[:2048] for tag in MP3_LENGTH_TAGS):
        if _short(file, frames_read, file.frames):
            return _reason(file, frames_read, f"its header says {file.frames / file.samplerate:.1f} s")
        return None
    # Without a length tag libmpg123 guesses the length from the first frames, and libsndfile reads no
    # further than that: a variable bit rate would silently lose its end.
    real_frames = _count_mp3_frames(data)
    if _short(file, frames_read, real_frames):
        seconds = frames_read / file.samplerate, real_frames / file.samplerate
        return (
            f"mp3 of variable bit rate without a length tag: libsndfile reads {seconds[0]:.1f} of its "
            f"{seconds[1]:.1f} s; rewrite it with 'ffmpeg -i OLD -c copy NEW'"
        )
    return None


def _id3_bytes(data: bytes) -> int:
    # The tag's size is four bytes of seven bits, without its own header of ten bytes.
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))


def _count_mp3_frames(data: bytes) -> int:
    """Samples per channel of a Layer III stream, by walking its headers as far as they make sense."""
    start = data.find(b"\xff")
    samples = 0
    while 0 <= start <= len(data) - 4:
        version, bitrate = data[start + 1] >> 3 & 3, data[start + 2] >> 4
        is_layer3 = data[start] == 0xFF and data[start + 1] & 0xE6 == 0xE2
        rate_index = data[start + 2] >> 2 & 3
        if not is_layer3 or version not in MP3_RATE_SHIFT or bitrate in (0, 15) or rate_index == 3:
            break
        mpeg1 = version == 3
        rate = MP3_RATES[rate_index] >> MP3_RATE_SHIFT[version]
        frame_samples = 1152 if mpeg1 else 576
        padding = data[start + 2] >> 1 & 1
        start += frame_samples // 8 * MP3_KBPS[mpeg1][bitrate] * 1000 // rate + padding
        samples += frame_samples
    return samples


def _ogg(path: Path, file: soundfile.SoundFile, frames_read: int) -> str | None:
    data = path.read_bytes()
    if OGG_SECOND_STREAM.search(data):
        seconds = frames_read / file.samplerate
        return (
            f"several streams one after the other: libsndfile reads the first only, {seconds:.1f} s; split it"
        )
    if _last_ogg_page_is_cut(data):
        return _reason(file, frames_read, "its last page is cut")
    return None


def _last_ogg_page_is_cut(data: bytes) -> bool:
    page = data[max(data.rfind(b"OggS"), 0) :]
    if len(page) < OGG_HEADER_BYTES or len(page) < OGG_HEADER_BYTES + page[26]:
        return True
    lacing = page[OGG_HEADER_BYTES : OGG_HEADER_BYTES + page[26]]
    return len(page) < OGG_HEADER_BYTES + page[26] + sum(lacing)
