"""What a store holds, for reports: dataset.json, for instance {"name": "magnatagatune", "split": "pons"}."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from s3prl_pemr.safety.whole_file import write_whole

from .index import REBUILD, StoreError

DATASET_FILE = "dataset.json"


@dataclass(frozen=True)
class DatasetName:
    """The data set, and which of its published or own splits; '' where it has none."""

    name: str
    split: str = ""

    def __str__(self) -> str:
        return f"{self.name}, split {self.split}" if self.split else self.name


def write_dataset_name(folder: Path, dataset: DatasetName) -> None:
    """Write dataset.json. Raises OSError."""
    write_whole(folder / DATASET_FILE, (json.dumps(asdict(dataset)) + "\n").encode())


def read_dataset_name(folder: Path) -> DatasetName | None:
    """What the store holds; None where it has no dataset.json.

    Raises:
        StoreError: the file is damaged.
    """
    path = folder / DATASET_FILE
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_bytes())
        if not all(isinstance(value, str) for value in found.values()):
            raise TypeError("names are texts")
        return DatasetName(**found)
    except (ValueError, TypeError, AttributeError) as error:
        raise StoreError(f"{path}: damaged; {REBUILD}") from error
