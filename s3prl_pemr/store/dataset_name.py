"""What a store holds, for reports: dataset.json, for instance {"name": "magnatagatune", "split": "pons"}."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from .index import REBUILD, StoreError
from .whole_file import write_whole

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
        return DatasetName(**json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise StoreError(f"{path}: damaged; {REBUILD}") from error
