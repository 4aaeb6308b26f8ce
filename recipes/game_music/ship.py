"""The files of upstream/pemr/weights from a checkpoint of the training: python ship.py CKPT CARD FOLDER.

CARD is a yaml: `card` and `heard` of pemr.json. The encoder and its front end are a file of their own: the
features need no more.
"""

import argparse
from pathlib import Path

import yaml

import s3prl_pemr  # noqa: F401 - first: it registers s3prl.upstream.adapter

# isort: split
from s3prl.upstream.adapter.checkpoint import read_checkpoint
from s3prl.upstream.adapter.weights_file import HEARD, write_weights

FILES = {
    "pemr.safetensors": ("frontend", "encoder"),
    "pemr_pretraining.safetensors": ("transformer", "predictor", "projector"),
}


def main() -> None:
    """Write pemr.json and the two files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checkpoint", metavar="CKPT", type=Path)
    parser.add_argument("card", metavar="CARD", type=Path)
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    args = parser.parse_args()
    texts = yaml.safe_load(args.card.read_text(encoding="utf-8"))
    args.folder.mkdir(parents=True, exist_ok=True)
    states = {**read_checkpoint(args.checkpoint), HEARD: texts["heard"]}
    write_weights(args.folder / "pemr.json", states, FILES, texts["card"])


if __name__ == "__main__":
    main()
