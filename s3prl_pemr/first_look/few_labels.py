"""Four upstreams with all and with few labels, on other styles and on tags that filter banks do not solve."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from s3prl_pemr.comparison.outcome.scores import Score, tagging_scores
from s3prl_pemr.comparison.stages import Stages
from s3prl_pemr.store import AudioStore

RULER = "fbank_no_cmvn"  # its dev scores, and no other's, decide which tags are compared
UPSTREAMS = (RULER, "mel", "pemr_random", "pemr")
FRACTIONS = (1.0, 0.1)
SOLVED_ROC_AUC = 0.98
SCORES = {"roc_auc": "ROC-AUC", "pr_auc": "PR-AUC"}


@dataclass(frozen=True)
class Row:
    """An upstream's scores, by their names, with a fraction of the labels."""

    upstream: str
    fraction: float
    scores: dict[str, Score]
    seconds: float


@dataclass(frozen=True)
class Dropped:
    """Tags that are not compared: of one side alone, and solved; and how many there are in all."""

    one_sided: list[str]
    solved: list[str]
    tags: int


def read_rows(folders: dict[str, Path], store: Path) -> tuple[list[Row], Dropped]:
    """Scores of the heads that side_by_side.py trained; and the tags that were dropped.

    Args:
        folders: of each of UPSTREAMS its heads'.
        store: that they were trained on.
    """
    audio, rows = AudioStore(store), []
    one_sided = one_sided_tags(audio)
    solved = solved_tags(expdir_of(folders[RULER], 1.0) / "per-tag-dev.tsv")
    for upstream in UPSTREAMS:
        seconds = Stages(folders[upstream], total=0).seconds
        for fraction in FRACTIONS:
            predictions = expdir_of(folders[upstream], fraction) / "predictions-test.tsv"
            scores = tagging_scores(predictions, audio, without={*one_sided, *solved})
            rows.append(Row(upstream, fraction, scores, seconds(*stage_names(fraction))))
    return rows, Dropped(one_sided, [tag for tag in solved if tag not in one_sided], len(all_labels(audio)))


def expdir_of(folder: Path, fraction: float) -> Path:
    """-p of the head with a fraction of the labels, in the folder of an upstream's heads."""
    return folder / f"{fraction:.0%}".replace("%", "-percent")


def stage_names(fraction: float) -> tuple[str, str]:
    """Of the stages that train that head, and score it."""
    return f"head, {fraction:.0%} of the labels", f"scores, {fraction:.0%} of the labels"


def one_sided_tags(audio: AudioStore) -> list[str]:
    """Tags, sorted, that no clip of training has, or none of test: not to be learned, or not to be scored."""
    train, test = (
        {label for index in audio.select(split) for label in audio.labels[index]}
        for split in ("train", "test")
    )
    return sorted(all_labels(audio) - (train & test))


def all_labels(audio: AudioStore) -> set[str]:
    """Every tag of a store that a clip has."""
    return {label for labels in audio.labels for label in labels}


def solved_tags(table: Path) -> list[str]:
    """Tags whose ROC-AUC in a per-tag table is above SOLVED_ROC_AUC."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row["tag"] for row in rows if float(row["roc_auc"] or "nan") > SOLVED_ROC_AUC]


def markdown(rows: list[Row]) -> str:
    """A row for each upstream and fraction."""
    lines = [["`-u`", "labels", *SCORES.values(), "seconds"], ["---"] * (len(SCORES) + 3)]
    for row in rows:
        cells = ["{:.3f} [{:.3f}, {:.3f}]".format(s.value, *s.interval) for s in row.scores.values()]
        lines.append([f"`{row.upstream}`", f"{row.fraction:.0%}", *cells, f"{row.seconds:.0f}"])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def verdict(rows: list[Row]) -> list[str]:
    """A line for each upstream beside `pemr` and fraction: by the interval of the paired difference."""
    lines = []
    for fraction in FRACTIONS:
        of = {row.upstream: row.scores["pr_auc"] for row in rows if row.fraction == fraction}
        pemr = of.pop("pemr")
        for upstream, other in of.items():
            difference, (low, high) = pemr.less(other)
            says = "above" if low > 0 else "below" if high < 0 else "a tie with"
            lines.append(
                f"{fraction:.0%} of the labels: pemr is {says} {upstream}, PR-AUC {difference:+.3f} "
                f"[{low:+.3f}, {high:+.3f}]"
            )
    return lines


def rule(dropped: Dropped) -> str:
    """What was left out, and why."""
    one_sided, solved = (", ".join(names) or "none" for names in (dropped.one_sided, dropped.solved))
    left = dropped.tags - len(dropped.one_sided) - len(dropped.solved)
    return (
        "Test clips are of styles that no other clip is of, and most instruments have another sound there.\n"
        f"Compared on {left} of {dropped.tags} tags. Dropped: those that no clip of training has, or none of "
        f"test ({one_sided});\nand those that {RULER} solves on the dev split (ROC-AUC above "
        f"{SOLVED_ROC_AUC}), before any other score is looked at: {solved}.\n"
    )
