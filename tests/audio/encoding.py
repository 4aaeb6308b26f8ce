"""Files of formats that soundfile does not write, by FFmpeg; and the damage that is done to them."""

import gc
import struct
from fractions import Fraction

import av
import numpy as np


def encode(path, codec, container, wav, sample_rate):
    """Writes float32 (samples, 2)."""
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=sample_rate)
        stream.layout, stream.bit_rate = "stereo", 128_000
        frame_size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(stream.format.name, "stereo", sample_rate, frame_size=frame_size)
        planar = np.ascontiguousarray(wav.T.astype(np.float32))
        frame = av.AudioFrame.from_ndarray(planar, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = sample_rate, 0, Fraction(1, sample_rate)
        for part in resampler.resample(frame) + resampler.resample(None):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    # Its filter graph has threads and lies in a cycle: a process forked from here would wait for them.
    del resampler
    gc.collect()


def flipped(data):
    """One bit in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 16]) + data[middle + 1 :]


def zeroed(data):
    """A kilobyte in the middle is zero."""
    middle = len(data) // 2
    return data[:middle] + bytes(1024) + data[middle + 1024 :]


def missing(data):
    """A kilobyte in the middle is gone."""
    middle = len(data) // 2
    return data[:middle] + data[middle + 1024 :]


def half(data):
    """The second half is gone."""
    return data[: len(data) // 2]


def ogg_pages(data):
    """Where each page begins."""
    starts, at = [], 0
    while at < len(data):
        starts.append(at)
        at += 27 + data[at + 26] + sum(data[at + 27 : at + 27 + data[at + 26]])
    return starts


def id3_tag(content_bytes):
    """An ID3v2 tag of zeros."""
    size = bytes(content_bytes >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\0\0" + size + bytes(content_bytes)


def ape_tag(content):
    """An APEv2 tag, with header and footer."""
    rest = struct.pack("<III", 2000, len(content) + 32, 1)
    head, foot = struct.pack("<I", 0xA0000000), struct.pack("<I", 0x80000000)
    return b"APETAGEX" + rest + head + bytes(8) + content + b"APETAGEX" + rest + foot + bytes(8)
