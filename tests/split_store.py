"""Stores of noise whose tracks are in given splits; no files are decoded."""

import numpy as np

from s3prl_pemr.store.dataset_name import DatasetName, write_dataset_name
from s3prl_pemr.store.index import Stamp
from s3prl_pemr.store.writer import StoreWriter


def split_store(folder, splits, data_set=None, samples=16, seed=0):
    """A track of noise for each of the splits; data_set: (name, split scheme). Returns the folder."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    writer = StoreWriter(folder)
    writer.begin()
    for number, split in enumerate(splits):
        noise = rng.integers(-3_000, 3_000, samples).astype(np.int16)
        writer.add(f"{number:05d}.wav", noise, split, (f"label{number % 2}",), "", Stamp())
    writer.finish()
    writer.close()
    if data_set:
        write_dataset_name(folder, DatasetName(*data_set))
    return folder
