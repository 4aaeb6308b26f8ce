"""The demo's cover song identification: networks on the CQT, upstreams, and both together (paper Table 5)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from s3prl_pemr.comparison.launchers import evaluate, train
from s3prl_pemr.comparison.stages import Stages

SETS = {"test": "SHS100K part", "covers80": "Covers80 part"}
METRICS = {"map": ("MAP", ".3f"), "precision_at_10": ("P@10", ".3f"), "mr1": ("MR1", ".1f")}


@dataclass(frozen=True)
class System:
    """A row: a head of cover_song on an upstream, which is trained too or frozen."""

    name: str
    head: str
    upstream: str = "pemr_random"
    trained: bool = False

    @property
    def folder(self) -> str:
        """Of its experiment."""
        return f"cover-{self.head}-{self.upstream}"


SYSTEMS = (
    System("Ki-Net", "kinet"),
    System("CQT-Net", "cqtnet"),
    System("FCN", "upstream", trained=True),
    System("PEMR, frozen", "upstream", "pemr_local"),
    System("FCN + CQT-Net (rand. FCN)", "upstream+cqtnet", trained=True),
    System("FCN + CQT-Net (pre. FCN)", "upstream+cqtnet", "pemr_local", trained=True),
)
STAGES = len(SETS) + (1 + len(SETS)) * len(SYSTEMS)


def cover_table(stages: Stages, folder: Path, corpus: Path, checkpoint: Path) -> str:
    """Prepare, train and score what is not there yet; the table in Markdown, chance in its first row."""
    stores = {
        name: folder / f"store-{source}" for name, source in zip(SETS, ("shs100k", "covers80"), strict=True)
    }
    few = ["--min-versions", "1"]  # the corpus has 4 versions of a work
    shs100k, covers80 = (
        ["-m", "s3prl_pemr.prepare", name, str(corpus / name)] for name in ("shs100k", "covers80")
    )
    stages.run("store shs100k", [*shs100k, str(stores["test"]), *few])
    stages.run("store covers80", [*covers80, str(stores["covers80"])])
    rows = []
    for system in SYSTEMS:
        expdir = folder / system.folder
        settings = {"modelrc.kind": system.head, "datarc.store": stores["test"]}
        settings["datarc.test_stores.covers80"] = stores["covers80"]
        flags = ["-f"] if system.trained else ["--feature_cache", str(folder / "features")]
        weights = checkpoint if system.upstream == "pemr_local" else None
        names = [f"cover {system.name}", *(f"cover {system.name}, {split}" for split in SETS)]
        stages.run(names[0], train("cover_song", system.upstream, weights, expdir, settings, *flags))
        for name, split in zip(names[1:], SETS, strict=True):
            stages.run(name, evaluate(expdir, split, *([] if system.trained else flags)))
        scores = json.loads((expdir / "scores.json").read_text(encoding="utf-8"))
        rows.append((system.name, scores, stages.seconds(*names)))
    return _markdown(rows)


def _markdown(rows: list[tuple[str, dict, float]]) -> str:
    titles = [
        f"{title}: {name}" if name == "MAP" else name
        for title in SETS.values()
        for name, _ in METRICS.values()
    ]
    lines = [["", *titles, "parameters", "seconds"], ["---"] * (len(titles) + 3)]
    chance = {split: rows[0][1][split]["random_ranking"] for split in SETS}
    lines.append(["chance", *_cells(chance), "", ""])
    for name, scores, seconds in rows:
        size = scores["test"]["parameters_without_classifier"]
        lines.append([name, *_cells(scores), f"{size:,}", f"{seconds:.0f}"])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cells(scores: dict) -> list[str]:
    return [format(scores[split][metric], form) for split in SETS for metric, (_, form) in METRICS.items()]
