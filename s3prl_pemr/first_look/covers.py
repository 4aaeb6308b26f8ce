"""The demo's cover song identification: CQT-Net, an upstream, and both together (four rows of Table 5)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from s3prl.downstream.cover_song.model import HEADS

from s3prl_pemr.comparison.launchers import train
from s3prl_pemr.comparison.stages import Stages
from s3prl_pemr.report.parameters import parameter_count

SETS = {"test": "SHS100K part", "covers80": "Covers80 part"}
METRICS = {"map": ("MAP", ".3f"), "precision_at_10": ("P@10", ".3f"), "mr1": ("MR1", ".1f")}


@dataclass(frozen=True)
class System:
    """A row: a head of cover_song; the upstream that it uses is trained too, as in the paper's rows."""

    name: str
    head: str
    upstream: str = "pemr_random"

    @property
    def folder(self) -> str:
        """Of its experiment."""
        return f"cover-{self.head}-{self.upstream}"


SYSTEMS = (
    System("CQT-Net", "cqtnet"),
    System("FCN", "upstream"),
    System("FCN + CQT-Net (rand. FCN)", "upstream+cqtnet"),
    System("FCN + CQT-Net (pre. FCN)", "upstream+cqtnet", "pemr_local"),
)
STAGES = len(SETS) + len(SYSTEMS)


def cover_table(stages: Stages, folder: Path, corpus: Path, checkpoint: Path) -> str:
    """Prepare, train and score what is not there yet; the table in Markdown, chance in its first row.

    config_demo.yaml scores the test sets in the process that trains, once, behind its last step.
    """
    stores = {
        name: folder / f"store-{source}" for name, source in zip(SETS, ("shs100k", "covers80"), strict=True)
    }
    few = ["--min-versions", "1"]  # the corpus has 4 versions of a work, SHS100K's training list 6 and more
    for name, store, options in (("shs100k", stores["test"], few), ("covers80", stores["covers80"], [])):
        prepare = ["-m", "s3prl_pemr.prepare", name, str(corpus / name), str(store), *options]
        stages.run(f"store {name}", prepare)
    rows = []
    for system in SYSTEMS:
        expdir = folder / system.folder
        settings = {"modelrc.kind": system.head, "datarc.store": stores["test"]}
        settings["datarc.test_stores.covers80"] = stores["covers80"]
        uses_upstream = HEADS[system.head][0]
        flags = ["-f"] if uses_upstream else []
        weights = checkpoint if system.upstream == "pemr_local" else None
        name = f"cover {system.name}"
        stages.run(name, train("cover_song", system.upstream, weights, expdir, settings, *flags))
        scores = json.loads((expdir / "scores.json").read_text(encoding="utf-8"))
        size = scores["test"]["parameters_without_classifier"]
        size += parameter_count(system.upstream, weights) if uses_upstream else 0
        rows.append((system.name, scores, size, stages.seconds(name)))
    return _markdown(rows)


def _markdown(rows: list[tuple[str, dict, int, float]]) -> str:
    titles = [
        f"{title}: {name}" if name == "MAP" else name
        for title in SETS.values()
        for name, _ in METRICS.values()
    ]
    lines = [["", *titles, "parameters", "seconds"], ["---"] * (len(titles) + 3)]
    chance = {split: rows[0][1][split]["random_ranking"] for split in SETS}
    lines.append(["chance", *_cells(chance), "", ""])
    for name, scores, size, seconds in rows:
        lines.append([name, *_cells(scores), f"{size:,}", f"{seconds:.0f}"])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cells(scores: dict) -> list[str]:
    return [format(scores[split][metric], form) for split in SETS for metric, (_, form) in METRICS.items()]
