"""`make demo`: a corpus without any download, PEMR pretrained on it, music tagging and cover songs."""

from __future__ import annotations

import argparse
from pathlib import Path

import yaml
from s3prl.pretrain.pemr import checkpoint_files

from s3prl_pemr.comparison import covers, tagging
from s3prl_pemr.comparison.launchers import in_checkout
from s3prl_pemr.comparison.mask_example import save_mask_example
from s3prl_pemr.comparison.stages import Stages

HELP = "the demo corpus, PEMR pretrained on it, music tagging on four upstreams, cover songs, a picture"
STAGES_BEFORE = 3  # corpus, store, pretrain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "folder", metavar="DEMO", type=Path, help="where everything goes (1.0 GB); the same one again goes on"
    )
    parser.add_argument("--covers", action="store_true", help="the cover song task too")


def run(args: argparse.Namespace) -> int:
    """Carry out what is missing in the folder and print the tables. Returns the exit status."""
    folder = args.folder
    corpus, store, pretrained = folder / "corpus", folder / "store", folder / "pretrain"
    pretrain_config = in_checkout("pretrain/pemr/config_demo.yaml")
    stages = Stages(folder, STAGES_BEFORE + tagging.STAGES + (covers.STAGES if args.covers else 0))
    stages.run("corpus", ["-m", "s3prl_pemr.prepare", "demo", str(corpus)])
    stages.run("store", ["-m", "s3prl_pemr.prepare", "mtat", str(corpus / "magnatagatune"), str(store)])
    pretrain = [
        in_checkout("run_pretrain.py"),
        "-a",
        "-u",
        "pemr",
        "-p",
        str(pretrained),
        "-c",
        pretrain_config,
    ]
    stages.run("pretrain", [*pretrain, "-o", f"config.pretrain_expert.datarc.store={store}"])
    checkpoint = checkpoint_files.latest(pretrained)
    tables = {"table.md": tagging.tagging_table(stages, folder, store, checkpoint)}
    if args.covers:
        tables["covers.md"] = covers.cover_table(stages, folder, corpus, checkpoint)
    settings = yaml.safe_load(Path(pretrain_config).read_text(encoding="utf-8"))
    crop_samples = settings["pretrain_expert"]["datarc"]["crop_samples"]
    clip = save_mask_example(checkpoint, store, "test", crop_samples, folder / "masks.png")
    for name, table in tables.items():
        (folder / name).write_text(table, encoding="utf-8")
        print(f"\n{table}\nkept in {folder / name}")
    print(f"{folder / 'masks.png'}: {clip}")
    times = ", ".join(f"{name} {stages.seconds(name):.0f} s" for name in ("corpus", "store", "pretrain"))
    print(f"{times}; all stages {sum(stages.seconds(name) for name in stages.records):.0f} s")
    return 0
