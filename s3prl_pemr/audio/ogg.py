"""Are all pages of an Ogg file there? libsndfile passes over a damaged one; FFmpeg's time stamps tell."""

import mmap
from pathlib import Path

from av.audio.stream import AudioStream

from .ffmpeg import opened

GAP_SECONDS = 0.005  # time stamps count samples
# Where the first page is the last one, FFmpeg counts its packets from there: a block late.
START_SECONDS = 0.05
PAGE, HEADER_BYTES, CONTINUED, LAST_PAGE = b"OggS\0", 27, 1, 4
VORBIS_HEADER = b"\x01vorbis"


def ogg_damage(path: Path) -> str | None:
    """Why this is not one whole stream; None if nothing speaks against it. Raises NotRecognised."""
    with path.open("rb") as file, opened(file) as container:
        stream = container.streams.audio[0]
        seconds, tolerance_seconds, position = 0.0, START_SECONDS, 0
        gap_seconds = GAP_SECONDS + _block_switch_seconds(stream)
        for packet in container.demux(stream):
            if packet.pts is None or not packet.duration:
                continue
            gap = float(packet.pts * packet.time_base) - seconds
            if gap > tolerance_seconds:
                return f"damaged: {gap:.2f} s are missing after {seconds:.1f} s"
            if gap < -START_SECONDS:
                return f"several streams one after the other, the first of {seconds:.1f} s; split it"
            seconds = float((packet.pts + packet.duration) * packet.time_base)
            tolerance_seconds, position = gap_seconds, packet.pos or 0
        declared_seconds = float((stream.duration or 0) * (stream.time_base or 0))
    if declared_seconds > seconds + START_SECONDS:
        return f"truncated: {seconds:.1f} s could be read, its last page says {declared_seconds:.1f} s"
    if not _ends_with(path, position, may_continue=declared_seconds - seconds < GAP_SECONDS):
        return f"truncated: {seconds:.1f} s could be read, its last page is missing, cut or damaged"
    return None


def _block_switch_seconds(stream: AudioStream) -> float:
    """By how much FFmpeg's time stamps of Vorbis part where a block's length changes; no sample is missing.

    A quarter of the long block less the short one (Vorbis I specification, 1.3.2 and 4.3.1), and twice that
    at the beginning of a page. The lengths are exponents in byte 28 of the identification header (4.2.2).
    """
    start = (stream.codec_context.extradata or b"").find(VORBIS_HEADER)
    header = (stream.codec_context.extradata or b"")[start : start + 29]
    if start < 0 or len(header) < 29:
        return 0.0
    short, long = 1 << (header[28] & 15), 1 << (header[28] >> 4)
    return max(long - short, 0) / 2 / stream.rate


def _ends_with(path: Path, position: int, may_continue: bool) -> bool:
    """Whether the last page is whole and marked as the last one, and has the packet that is at `position`.

    It is the page there, or an empty one, or (may_continue) the end of a packet of the page before.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = data.rfind(PAGE)
        header = data[start : start + HEADER_BYTES + 255]
        if len(header) < HEADER_BYTES or not header[5] & LAST_PAGE:
            return False
        content_bytes = sum(header[HEADER_BYTES:][: header[26]])
        whole = start + HEADER_BYTES + header[26] + content_bytes <= len(data)
        continues = may_continue and header[5] & CONTINUED and data.rfind(PAGE, 0, start) == position
        return whole and bool(start == position or content_bytes == 0 or continues)
