"""Are all pages of an Ogg file there? libsndfile passes over a damaged one; FFmpeg's time stamps tell."""

import mmap
from pathlib import Path

from .ffmpeg import opened

GAP_SECONDS = 0.005  # time stamps count samples
# Where the first page is the last one, FFmpeg counts its packets from there: a block late.
START_SECONDS = 0.05
HEADER_BYTES, LAST_PAGE = 27, 4


def ogg_damage(path: Path) -> str | None:
    """Why this is not one whole stream; None if nothing speaks against it. Raises NotRecognised."""
    with path.open("rb") as file, opened(file) as container:
        stream = container.streams.audio[0]
        seconds, tolerance_seconds, position = 0.0, START_SECONDS, 0
        for packet in container.demux(stream):
            if packet.pts is None or not packet.duration:
                continue
            gap = float(packet.pts * packet.time_base) - seconds
            if gap > tolerance_seconds:
                return f"damaged: {gap:.2f} s are missing after {seconds:.1f} s"
            if gap < -START_SECONDS:
                return f"several streams one after the other, the first of {seconds:.1f} s; split it"
            seconds = float((packet.pts + packet.duration) * packet.time_base)
            tolerance_seconds, position = GAP_SECONDS, packet.pos
        declared_seconds = float((stream.duration or 0) * stream.time_base)
    if declared_seconds > seconds + START_SECONDS:
        return f"truncated: {seconds:.1f} s could be read, its last page says {declared_seconds:.1f} s"
    if not _ends_with(path, position):
        return f"truncated: {seconds:.1f} s could be read, its last page is missing, cut or damaged"
    return None


def _ends_with(path: Path, position: int) -> bool:
    """Whether the last page is whole and marked as the last one, and is empty or the one at `position`."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = data.rfind(b"OggS\0")
        header = data[start : start + HEADER_BYTES + 255]
        if len(header) < HEADER_BYTES or not header[5] & LAST_PAGE:
            return False
        content_bytes = sum(header[HEADER_BYTES:][: header[26]])
        whole = start + HEADER_BYTES + header[26] + content_bytes <= len(data)
        return whole and (start == position or content_bytes == 0)
