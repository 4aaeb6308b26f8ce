"""`make demo`: a corpus without any download, PEMR pretrained on it, music tagging on four upstreams."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import yaml
from s3prl.pretrain.pemr import checkpoint_files

from s3prl_pemr.comparison.mask_example import save_mask_example
from s3prl_pemr.comparison.parameters import parameter_count
from s3prl_pemr.comparison.stages import Stages
from s3prl_pemr.comparison.table import markdown_table, read_row
from s3prl_pemr.registration import PLUGIN_ROOT

HELP = "the demo corpus, PEMR pretrained on it, music tagging on four upstreams, a table and a picture"
UPSTREAMS = ("pemr_local", "pemr_random", "fbank_no_cmvn", "mel")
STAGES_BEFORE, STAGES_EACH = 3, 2  # corpus, store, pretrain; head, scores


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "folder", metavar="DEMO", type=Path, help="where everything goes (1.5 GB); the same one again goes on"
    )


def run(args: argparse.Namespace) -> int:
    """Carry out what is missing in the folder and print the table. Returns the exit status."""
    folder = args.folder
    corpus, store, pretrained = folder / "corpus", folder / "store", folder / "pretrain"
    pretrain_config = _in_checkout("pretrain/pemr/config_demo.yaml")
    stages = Stages(folder, STAGES_BEFORE + STAGES_EACH * len(UPSTREAMS))
    stages.run("corpus", ["-m", "s3prl_pemr.prepare", "demo", str(corpus)])
    stages.run("store", ["-m", "s3prl_pemr.prepare", "mtat", str(corpus / "magnatagatune"), str(store)])
    override = f"config.pretrain_expert.datarc.store={store}"
    stages.run(
        "pretrain",
        [_in_checkout("run_pretrain.py"), "-a", "-u", "pemr", "-p", str(pretrained), "-c", pretrain_config]
        + ["-o", override],
    )
    checkpoint = checkpoint_files.latest(pretrained)
    rows = []
    for upstream in UPSTREAMS:
        weights = checkpoint if upstream == "pemr_local" else None
        _tag(stages, upstream, weights, folder)
        scores = folder / upstream / "scores.json"
        size = parameter_count(upstream, weights)
        seconds = stages.seconds(f"head {upstream}", f"scores {upstream}")
        rows.append(read_row(upstream, scores, "test", size, seconds))
    _report(folder, stages, markdown_table(rows), checkpoint, store, pretrain_config)
    return 0


def _tag(stages: Stages, upstream: str, checkpoint: Path | None, folder: Path) -> None:
    expdir, launcher = folder / upstream, _in_checkout("run_downstream.py")
    cache = ["--feature_cache", str(folder / "features")]
    weights = ["-k", str(checkpoint)] if checkpoint else []
    task = ["-d", "music_tagging", "-c", "config_demo.yaml"]
    task += ["-o", f"config.downstream_expert.datarc.store={folder / 'store'}"]
    stages.run(
        f"head {upstream}",
        [launcher, "-m", "train", "-a", "-u", upstream, *weights, "-p", str(expdir), *task, *cache],
    )
    stages.run(
        f"scores {upstream}", [launcher, "-m", "evaluate", "-e", str(expdir / "dev-best.ckpt"), *cache]
    )


def _report(
    folder: Path, stages: Stages, table: str, checkpoint: Path, store: Path, pretrain_config: str
) -> None:
    settings = yaml.safe_load(Path(pretrain_config).read_text(encoding="utf-8"))
    crop_samples = settings["pretrain_expert"]["datarc"]["crop_samples"]
    clip = save_mask_example(checkpoint, store, "test", crop_samples, folder / "masks.png")
    times = ", ".join(f"{name} {stages.seconds(name):.0f} s" for name in ("corpus", "store", "pretrain"))
    total = f"{times}; all stages {sum(stages.seconds(name) for name in stages.records):.0f} s"
    text = f"{table}\n{total}\nmasks.png: {clip}\n"
    (folder / "table.md").write_text(text, encoding="utf-8")
    print(f"\n{text}\nkept in {folder / 'table.md'}; picture: {folder / 'masks.png'}")


def _in_checkout(name: str) -> str:
    path = PLUGIN_ROOT / name
    if not path.is_file():
        raise ValueError(f"{path}: not there; the demo runs in a checkout of the repository")
    return os.path.relpath(path)
