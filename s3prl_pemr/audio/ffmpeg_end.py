"""Is the end of the file there? Of mp3 and Ogg, FFmpeg does not say: the length tag, the last page."""

import mmap
import re
from pathlib import Path

# A frame of Layer III whose side information (9, 17 or 32 bytes) is followed by the number of frames, if the first
# flag says so; Fraunhofer's encoder always says it.
MP3_LENGTH_TAG = re.compile(
    rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]..(?:(?:.{9}|.{17}|.{32})(?:Xing|Info)\0\0\0[\1\3\5\7\x09\x0b\x0d\x0f]"
    rb"|.{32}VBRI.{10})(.{4})",
    re.DOTALL,
)
OGG_HEADER_BYTES, OGG_LAST_PAGE = 27, 4


def mp3_tagged_frames(path: Path) -> int:
    """How many frames the length tags of an mp3 announce, of all files that were joined; 0 without a tag.

    Where the tags stand does not matter: behind ID3 and APE tags, padding, another file.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return sum(int.from_bytes(tag[1], "big") for tag in MP3_LENGTH_TAG.finditer(data))


def ogg_has_its_end(path: Path) -> bool:
    """Whether the last page is whole and marked as the last one of its stream."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = data.rfind(b"OggS\0")
        header = data[start : start + OGG_HEADER_BYTES + 255]
        if len(header) < OGG_HEADER_BYTES:
            return False
        lacing = header[OGG_HEADER_BYTES:][: header[26]]
        page_bytes = OGG_HEADER_BYTES + header[26] + sum(lacing)
        return start + page_bytes <= len(data) and bool(header[5] & OGG_LAST_PAGE)
