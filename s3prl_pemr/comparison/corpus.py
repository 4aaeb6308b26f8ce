"""The demo corpus and its stores, composed where a plan or the demo wants them."""

from __future__ import annotations

from pathlib import Path

from .stages import Stages

STAGES = 2
DEMO = "demo:"
# part of the corpus -> the command that reads it, and its options
PARTS = {
    "magnatagatune": ("mtat",),
    "gtzan": ("gtzan",),
    # 4 versions of a work; SHS100K's training list has 6 and more
    "shs100k": ("shs100k", "--min-versions", "1"),
    "covers80": ("covers80",),
}


def demo_store(stages: Stages, folder: Path, part: str, *flags: str) -> Path:
    """A part of the demo corpus as a store: composed and read, unless both are there.

    Args:
        stages: of the experiment; two of them.
        folder: where they go: `corpus`, `store-PART`.
        part: of PARTS; all but the first want the whole corpus.
        flags: further ones of the corpus.
    """
    command, *options = PARTS[part]
    corpus, store = folder / "corpus", folder / f"store-{part}"
    name, whole = ("corpus", []) if part == "magnatagatune" else ("whole corpus", ["--full"])
    stages.run(name, ["-m", "s3prl_pemr.prepare", "demo", str(corpus), *whole, *flags])
    stages.run(
        f"store {part}", ["-m", "s3prl_pemr.prepare", command, str(corpus / part), str(store), *options]
    )
    return store


def store_of(where: str, folder: Path) -> Path:
    """The folder of a plan's store; of `demo:PART` composed and read into `folder` first.

    Raises:
        ValueError: one line: no such part, or no such folder.
    """
    if not where.startswith(DEMO):
        if not Path(where).is_dir():
            raise ValueError(f"{where}: no such store; write one with s3prl-pemr prepare")
        return Path(where)
    part = where.removeprefix(DEMO)
    if part not in PARTS:
        raise ValueError(f"{where}: the demo corpus has {', '.join(PARTS)}")
    return demo_store(Stages(folder, STAGES), folder, part)
