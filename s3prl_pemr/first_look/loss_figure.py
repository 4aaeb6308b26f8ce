"""The loss of a short pretraining that was stopped and resumed once."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib.figure import Figure

LOSSES = {
    "prediction_loss": "L_pred (Eq. 6)",
    "positive_loss": "L_pos (Eq. 8)",
    "negative_loss": "L_neg (Eq. 9)",
}


def loss_figure(log: Path, resumed_at: int) -> Figure:
    """A panel for each part of the loss.

    Args:
        log: log.jsonl of the run.
        resumed_at: step behind which it was stopped.
    """
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    figure = Figure(figsize=(10, 2.8), layout="constrained")
    for axis, (name, title) in zip(figure.subplots(1, len(LOSSES)), LOSSES.items(), strict=True):
        axis.plot([line["step"] for line in lines], [line[name] for line in lines], marker="o", markersize=3)
        axis.axvline(resumed_at, color="black", linestyle="--", linewidth=0.8)
        axis.text(resumed_at, 0.97, " resumed", fontsize=8, va="top", transform=axis.get_xaxis_transform())
        axis.set_title(title, fontsize=10, loc="left")
        axis.set(xlabel="step", ylim=(0, None))
        axis.spines[["top", "right"]].set_visible(False)
    return figure
