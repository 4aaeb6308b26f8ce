"""`make demo`: a corpus without any download, PEMR pretrained on it, music tagging and cover songs."""

from __future__ import annotations

import argparse
from pathlib import Path

import yaml
from s3prl.pretrain.training import checkpoint_files

from s3prl_pemr.safety.whole_file import write_whole

from . import covers, tagging
from .corpus import STAGES as CORPUS_STAGES
from .corpus import corpus_and_store
from .launchers import PRETRAIN_CONFIG, pretrain
from .stages import Stages

HELP = "the demo corpus, PEMR pretrained on it, music tagging on four upstreams, cover songs, a picture"
EXAMPLE = "s3prl-pemr demo DEMO"
STAGES_BEFORE = CORPUS_STAGES + 1  # pretrain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "folder", metavar="DEMO", type=Path, help="where everything goes (1.6 GB); the same one again goes on"
    )


def run(args: argparse.Namespace) -> int:
    """Carry out what is missing in the folder and print the tables. Returns the exit status."""
    from .mask_example import save_mask_example  # matplotlib: --help does without

    folder = args.folder
    pretrained = folder / "pretrain"
    stages = Stages(folder, STAGES_BEFORE + tagging.STAGES + covers.STAGES)
    corpus, store = corpus_and_store(stages, folder)
    stages.run("pretrain", pretrain("pemr", pretrained, {"pretrain_expert.datarc.store": store}))
    checkpoint = checkpoint_files.latest(pretrained)
    _show(folder / "table.md", tagging.tagging_table(stages, folder, store, checkpoint))
    _show(folder / "covers.md", covers.cover_table(stages, folder, corpus, checkpoint))
    settings = yaml.safe_load(PRETRAIN_CONFIG.read_text(encoding="utf-8"))
    crop_samples = settings["pretrain_expert"]["datarc"]["crop_samples"]
    clip = save_mask_example(checkpoint, store, "test", crop_samples, folder / "masks.png")
    print(f"{folder / 'masks.png'}: {clip}")
    times = ", ".join(f"{name} {stages.seconds(name):.0f} s" for name in ("corpus", "store", "pretrain"))
    print(f"{times}; all stages {sum(stages.seconds(name) for name in stages.records):.0f} s")
    return 0


def _show(path: Path, table: str) -> None:
    """As soon as its rows are there."""
    write_whole(path, table.encode())
    print(f"\n{table}\nkept in {path}", flush=True)
