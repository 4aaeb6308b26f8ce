"""`make demo-full`: the plan `demo_full` and, of the PEMR that it pretrained, a picture of what is masked."""

from __future__ import annotations

from pathlib import Path

import yaml

from s3prl_pemr.comparison import compare
from s3prl_pemr.comparison.cells import cells_of
from s3prl_pemr.comparison.launchers import PRETRAIN_CONFIG
from s3prl_pemr.comparison.plan_file import read_plan


def run(folder: Path, jobs: int = 1) -> int:
    """Carry out what is missing in the folder and print the report. Returns the exit status."""
    from .mask_example import save_mask_example  # matplotlib: --help does without

    plan = read_plan("demo_full")
    place = compare.place_of(plan, folder)
    status = compare.carry_out_plan(plan, place, jobs)
    if status:
        return status
    (pretraining,), _ = cells_of(plan, place, plan.seeds[0])
    settings = yaml.safe_load(PRETRAIN_CONFIG.read_text(encoding="utf-8"))
    crop_samples = settings["pretrain_expert"]["datarc"]["crop_samples"]
    picture = folder / "masks.png"
    clip = save_mask_example(pretraining.checkpoint(), place.stores["mtat"], "test", crop_samples, picture)
    print(f"{picture}: {clip}")
    return 0
