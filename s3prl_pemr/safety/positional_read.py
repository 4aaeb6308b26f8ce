"""Reading at a place of a file, without a memory map.

Of a file that is cut off while it is mapped, the next look at what is missing ends the process (SIGBUS).
"""

from __future__ import annotations

import os
from io import FileIO

import numpy as np


def read_into(array: np.ndarray, file: FileIO, place_bytes: int) -> bool:
    """Fill an array from a file; whether there was enough.

    Args:
        array: contiguous; its type is the file's.
        file: opened unbuffered; its own position is not used, so that processes and threads may share it.
        place_bytes: of the first value.
    """
    left = array.data.cast("B") if array.size else memoryview(b"")
    while left:
        done = os.preadv(file.fileno(), [left], place_bytes)
        if done == 0:
            return False
        left, place_bytes = left[done:], place_bytes + done
    return True
