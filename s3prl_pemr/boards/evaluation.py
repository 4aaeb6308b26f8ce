"""A task of mteb carried out, and what is kept of it.

In OUT: results/ as mteb keeps results, which its board takes; scores.json with an entry a task; and where a
score is the mean of items', items-TASK-SPLIT.tsv.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from s3prl_pemr.report.files import write_tsv
from s3prl_pemr.report.scores_file import SCORES_FILE, write_scores

from .tasks import need_mteb

if TYPE_CHECKING:
    from mteb.abstasks.abstask import AbsTask

    from .encoder import BoardEncoder

COLUMNS = ("item", "group", "value")


def items_file(out: Path, task: str, split: str) -> Path:
    """Where the items of a task's split are."""
    return out / f"items-{task}-{split}.tsv"


def score_task(task: AbsTask, encoder: BoardEncoder, out: Path, batch: int) -> dict[str, Any]:
    """Its entry of scores.json, by split; carried out unless it is there, of this model and this mteb.

    Args:
        batch: items at a time.

    Raises:
        ValueError: one line: its data cannot be loaded.
    """
    mteb = need_mteb()
    meta, name = encoder.mteb_model_meta, task.metadata.name
    made_by = {"model": meta.name, "revision": meta.revision, "mteb": mteb.__version__}
    made_by |= {"options": dict(meta.experiment_kwargs or {})}
    known = read_entry(out, name)
    if known and known["made_by"] == made_by:
        return known
    _load(task)
    with TemporaryDirectory() as folder:
        found = mteb.evaluate(
            encoder, task, cache=mteb.ResultCache(out), overwrite_strategy="always", co2_tracker=False,
            prediction_folder=folder, encode_kwargs={"batch_size": batch}, show_progress_bar=False,
        ).task_results[0]  # fmt: skip
        kept = task._predictions_path(Path(folder))
        predictions = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    splits = {split: _split_entry(task, split, found, predictions, out) for split in task.eval_splits}
    entry = {
        "made_by": made_by, "parameters": encoder.parameters, "metric": task.metadata.main_score,
        "splits": splits,
    }  # fmt: skip
    write_scores(out, name, entry)
    return entry


def read_entry(out: Path, task: str) -> dict[str, Any] | None:
    """What scores.json says of a task; None where it was not carried out."""
    path = out / SCORES_FILE
    return json.loads(path.read_text(encoding="utf-8")).get(task) if path.exists() else None


def read_items(out: Path, task: str, split: str) -> list[tuple[str, int, float]]:
    """Item, group and value of each line; none where the task has no items."""
    path = items_file(out, task, split)
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        _, *lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [(item, int(group), float(value)) for item, group, value in lines]


def _split_entry(task: AbsTask, split: str, found: Any, predictions: dict, out: Path) -> dict[str, Any]:
    from .items import items_of

    score = float(found.get_score(splits=[split]))
    scores = {part["hf_subset"]: _numbers(part) for part in found.scores[split]}
    entry = {"score": score, "scores": scores}
    items_file(out, task.metadata.name, split).unlink(missing_ok=True)
    if len(scores) == 1:
        (subset,) = scores
        told = predictions.get(subset, {}).get(split)
        items = None if told is None else items_of(task, subset, split, told, score)
        if items is not None:
            rows = zip(items.names, items.groups.tolist(), items.values.tolist(), strict=True)
            write_tsv(items_file(out, task.metadata.name, split), COLUMNS, rows)
            entry |= {
                "items": len(items.names),
                "groups": len(set(items.groups.tolist())),
                "over": items.over,
            }
    return entry


def _numbers(part: dict[str, Any]) -> dict[str, float]:
    numbers = {name: value for name, value in part.items() if isinstance(value, (int, float))}
    return {name: float(value) for name, value in numbers.items() if value == value and "nauc" not in name}


def _load(task: AbsTask) -> None:
    """Raises ValueError (one line): each place that data comes from fails in a way of its own."""
    try:
        task.load_data()
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise ValueError(f"{task.metadata.name}: its data cannot be loaded: {reason}") from error
