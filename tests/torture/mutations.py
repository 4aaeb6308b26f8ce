"""Seeded damage of files: bits flip, ends are missing, pieces move, fields are at their extremes."""

import random

HEADER_BYTES = 96
EXTREMES = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\x01")


def flip(data: bytes, rng: random.Random) -> bytes:
    """1 to 16 bits anywhere."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(data: bytes, rng: random.Random) -> bytes:
    """The end is missing: anything between all of it and a byte."""
    return data[: rng.randrange(len(data))]


def splice(data: bytes, rng: random.Random) -> bytes:
    """A piece is missing, is there twice, or is another one of the file."""
    first, last = sorted(rng.randrange(len(data)) for _ in range(2))
    piece = {
        "gone": b"",
        "twice": data[first:last] * 2,
        "moved": data[-(last - first) :] if last > first else b"",
    }
    return data[:first] + piece[rng.choice(sorted(piece))] + data[last:]


def extreme(data: bytes, rng: random.Random) -> bytes:
    """1, 2, 4 or 8 bytes of the header are at an end of their range."""
    count = rng.choice((1, 2, 4, 8))
    at = rng.randrange(min(HEADER_BYTES, len(data) - count))
    return data[:at] + rng.choice(EXTREMES) * count + data[at + count :]


MUTATIONS = (flip, cut, splice, extreme)
