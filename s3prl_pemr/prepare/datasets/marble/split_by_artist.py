"""Which training songs are held out for validation: by a hash of the artist's name (Castellon et al. 2021).

"Codified audio language modeling learns useful representations for music information retrieval"; MARBLE took
the splits over. Equal names give equal splits on every machine; nothing is drawn.
"""

import hashlib
from collections.abc import Sequence

TRAIN, VALID = "train", "valid"


def split_of_name(name: str, train_parts: int, valid_parts: int) -> str:
    """Train or valid: SHA-1 of the name modulo all parts; the last `valid_parts` are valid."""
    number = int(hashlib.sha1(name.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest(), 16)
    return TRAIN if number % (train_parts + valid_parts) < train_parts else VALID


def plain_name(artist: str) -> str:
    """Only the ASCII letters, small, with single spaces: how Emotion in Music's artists are compared."""
    letters = (
        letter for letter in artist.lower() if letter.isascii() and (letter.isalpha() or letter.isspace())
    )
    return " ".join("".join(letters).split())


def splits_of_songs(artists: Sequence[Sequence[str]], train_parts: int, valid_parts: int) -> list[str]:
    """The split of each song by several artists: whoever works with a valid artist is valid, over two hops.

    Args:
        artists: the names of each song's.
        train_parts, valid_parts: of `split_of_name`, of the names in small letters.
    """
    splits = {
        name: split_of_name(name.lower(), train_parts, valid_parts) for song in artists for name in song
    }
    for _ in range(2):
        for song in artists:
            if any(splits[name] == VALID for name in song):
                splits.update(dict.fromkeys(song, VALID))
    return [VALID if any(splits[name] == VALID for name in song) else TRAIN for song in artists]
