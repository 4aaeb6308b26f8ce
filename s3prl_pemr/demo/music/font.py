"""The General MIDI sound font of the pretty_midi package, with its tuning mended for symusic.

symusic (0.5.9) does not read the generator overridingRootKey, so that instruments whose samples were
recorded on other keys play out of tune. Here each such zone gets its own copy of the sample's header, which
says that key.
Format: SoundFont Technical Specification 2.04, sections 7.3-7.10 and 8.1.2.
"""

import os
import struct
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import symusic

FONT_FILE = "TimGM6mb.sf2"
OVERRIDING_ROOT_KEY, SAMPLE_ID = 58, 53
SAMPLE_HEADER = struct.Struct(
    "<20s5IBb2H"
)  # shdr: name, 5 positions, original key, correction in cents, link, type
END_FIELD, KEY_FIELD = 2, 6
GUARD_SAMPLES = 8  # of the 46 zeros that the format asks for behind every sample
PAIR = struct.Struct("<HH")  # igen: generator, amount; ibag: first generator, first modulator


def synthesizer(sample_rate: int) -> Any:
    """A synthesizer with the tuned font, for one part: how it plays depends on what it has played before.

    Args: sample_rate: Hz.
    """
    handle, path = tempfile.mkstemp(suffix=".sf2")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_font())
        return symusic.Synthesizer(path, sample_rate)
    finally:
        Path(path).unlink()


@cache
def _font() -> bytes:
    package = Path(find_spec("pretty_midi").origin).parent
    return retuned((package / FONT_FILE).read_bytes())


def retuned(font: bytes) -> bytes:
    """The same SoundFont 2 file with every overriding root key moved into a sample header of its own.

    Samples also end a little later: symusic interpolates one value beyond the end, which is whatever lies in
    memory there, and the same score would not always give the same sound.
    """
    chunks = _chunks(font[12:])  # after "RIFF", the size and "sfbk": the lists INFO, sdta, pdta
    hydra = _chunks(chunks[-1][1][4:])
    tables = dict(hydra)
    *headers, terminal = SAMPLE_HEADER.iter_unpack(tables[b"shdr"])
    headers = [
        (*header[:END_FIELD], header[END_FIELD] + GUARD_SAMPLES, *header[END_FIELD + 1 :])
        for header in headers
    ]
    generators = [list(pair) for pair in PAIR.iter_unpack(tables[b"igen"])]
    zone_starts = [first for first, _ in PAIR.iter_unpack(tables[b"ibag"])]
    copies: dict[tuple[int, int], int] = {}
    for first, end in zip(zone_starts, zone_starts[1:], strict=False):
        zone = {kind: i for i, (kind, _) in enumerate(generators[first:end], first)}
        if SAMPLE_ID not in zone or OVERRIDING_ROOT_KEY not in zone:
            continue
        sample, key = generators[zone[SAMPLE_ID]][1], generators[zone[OVERRIDING_ROOT_KEY]][1]
        if (sample, key) not in copies:
            copies[sample, key] = len(headers)
            headers.append((*headers[sample][:KEY_FIELD], key, *headers[sample][KEY_FIELD + 1 :]))
        generators[zone[SAMPLE_ID]][1] = copies[sample, key]
    tables[b"igen"] = b"".join(PAIR.pack(*pair) for pair in generators)
    tables[b"shdr"] = b"".join(SAMPLE_HEADER.pack(*header) for header in (*headers, terminal))
    chunks[-1] = (b"LIST", b"pdta" + b"".join(_chunk(name, tables[name]) for name, _ in hydra))
    return _chunk(b"RIFF", b"sfbk" + b"".join(_chunk(name, body) for name, body in chunks))


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """The RIFF chunks that follow one another in `data`: names and bodies."""
    found, at = [], 0
    while at < len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        found.append((name, data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + b"\0" * (len(body) % 2)
