"""Files that would run a program where they are unpickled, and the mark that it would leave."""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import torch


class Payload:
    """Unpickled, it makes a file."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return Path.touch, (Path(self.mark),)


def archive(path, mark, content):
    """As torch.save writes it now: a zip; `content` may hold what a checkpoint has beside the payload."""
    torch.save({**content, "Payload": Payload(mark)}, path)


def old_pickle(path, mark, content):
    """As torch.save wrote it before 1.6."""
    torch.save({**content, "Payload": Payload(mark)}, path, _use_new_zipfile_serialization=False)


def bare_pickle(path, mark, content):
    """A pickle without anything of torch's."""
    path.write_bytes(pickle.dumps({**content, "Payload": Payload(mark)}))


def arrays(path, mark, content):
    """An .npz with an array of objects."""
    with path.open("wb") as file:
        np.savez(file, allow_pickle=True, **content, payload=np.array([Payload(mark)], dtype=object))


def is_armed(path) -> bool:
    """Whether the payload is in the file at all: a test of something else proves nothing."""
    content = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            content = b"".join(map(packed.read, packed.namelist()))
    return b"pathlib" in content
