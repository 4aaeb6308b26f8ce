"""`make demo-full`: a corpus without any download, PEMR pretrained on it, music tagging and cover songs."""

from __future__ import annotations

from pathlib import Path

import yaml
from s3prl.pretrain.training import checkpoint_files

from s3prl_pemr.comparison.corpus import STAGES as CORPUS_STAGES
from s3prl_pemr.comparison.corpus import corpus_and_store
from s3prl_pemr.comparison.launchers import PRETRAIN_CONFIG, pretrain
from s3prl_pemr.comparison.stages import Stages

from . import covers, tagging
from .shown import show

STAGES_BEFORE = CORPUS_STAGES + 1  # pretrain


def run(folder: Path) -> int:
    """Carry out what is missing in the folder and print the tables. Returns the exit status."""
    from .mask_example import save_mask_example  # matplotlib: --help does without

    pretrained = folder / "pretrain"
    stages = Stages(folder, STAGES_BEFORE + tagging.STAGES + covers.STAGES)
    corpus, store = corpus_and_store(stages, folder, full=True)
    stages.run("pretrain", pretrain("pemr", pretrained, {"pretrain_expert.datarc.store": store}))
    checkpoint = checkpoint_files.latest(pretrained)
    show(folder / "table.md", tagging.tagging_table(stages, folder, store, checkpoint))
    show(folder / "covers.md", covers.cover_table(stages, folder, corpus, checkpoint))
    settings = yaml.safe_load(PRETRAIN_CONFIG.read_text(encoding="utf-8"))
    crop_samples = settings["pretrain_expert"]["datarc"]["crop_samples"]
    clip = save_mask_example(checkpoint, store, "test", crop_samples, folder / "masks.png")
    print(f"{folder / 'masks.png'}: {clip}")
    times = ", ".join(
        f"{name} {stages.seconds(name):.0f} s" for name in ("whole corpus", "store", "pretrain")
    )
    print(f"{times}; all stages {sum(stages.seconds(name) for name in stages.records):.0f} s")
    return 0
