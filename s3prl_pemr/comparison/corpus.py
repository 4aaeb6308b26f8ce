"""The corpus that `make demo` and `make compare-demo` work on."""

from __future__ import annotations

from pathlib import Path

from .stages import Stages

STAGES = 2


def corpus_and_store(stages: Stages, folder: Path, full: bool = False) -> tuple[Path, Path]:
    """Compose the demo corpus and read its MagnaTagATune part into a store, unless they are there.

    Args:
        stages: of the experiment.
        folder: where they go: `corpus`, `store`.
        full: with the parts for genre and cover songs.
    """
    corpus, store = folder / "corpus", folder / "store"
    whole = ["--full"] if full else []
    stages.run(
        "whole corpus" if full else "corpus", ["-m", "s3prl_pemr.prepare", "demo", str(corpus), *whole]
    )
    stages.run("store", ["-m", "s3prl_pemr.prepare", "mtat", str(corpus / "magnatagatune"), str(store)])
    return corpus, store
