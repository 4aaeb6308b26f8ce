"""Write the weights that ship, and mean Fourier magnitudes: python ship.py net.pt columns.npz"""

import argparse
from pathlib import Path

import numpy as np
import torch
import yaml
from train import FOLDERS
from versions import read_tracks

import s3prl_pemr  # noqa: F401 - registers s3prl.downstream.cover_song

# isort: split
from s3prl.downstream.cover_song.networks.ready import WEIGHTS
from s3prl.downstream.cover_song.training_free.chroma import tonal_chroma
from s3prl.downstream.cover_song.training_free.fourier import MEAN, fourier_magnitudes
from s3prl.upstream.adapter.weights_file import write_weights


def main() -> None:
    """Read both, write both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", type=Path, help="of train.py")
    parser.add_argument("columns", type=Path, help="of columns.py")
    args = parser.parse_args()
    state = torch.load(args.network, weights_only=True)
    states = {"Method": "covers", "Upstream_Config": {}}
    states["Upstream"] = {f"network.{name}": value for name, value in state.items()}
    card = yaml.safe_load((Path(__file__).parent / "card.yaml").read_text(encoding="utf-8"))
    write_weights(WEIGHTS, states, {"covers.safetensors": ["network"]}, card)
    heard = [
        fourier_magnitudes(tonal_chroma(np.asarray(track, np.float32)))
        for track, folder in zip(*read_tracks(args.columns, "folders"), strict=True)
        if folder in FOLDERS and track.shape[1] >= 60
    ]
    np.save(MEAN, np.mean(heard, axis=0))


if __name__ == "__main__":
    main()
