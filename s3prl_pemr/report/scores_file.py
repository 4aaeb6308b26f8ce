"""scores.json: what an experiment reached on each split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from s3prl_pemr.safety.whole_file import write_whole

SCORES_FILE = "scores.json"


def write_scores(folder: Path, split: str, scores: dict[str, Any]) -> None:
    """Sets one split's entry of scores.json; the other splits' stay."""
    path = folder / SCORES_FILE
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    text = json.dumps({**known, split: scores}, indent=2, ensure_ascii=False) + "\n"
    write_whole(path, text.encode())
