"""`make demo`: the shipped weights at work in minutes, on music that the project composes itself.

A small corpus, whose test clips are of styles and sounds of their own; heads on the shipped PEMR, on the same
encoder with random weights and on filter banks, with all and with a tenth of the labels; covers found in a
small collection; a minute of pretraining, resumed once; real music and what PEMR hears in it. Everything is
kept in DEMO, one run on each core; the same command again does what is missing. --full is the long version:
PEMR pretrained there, two heads on four upstreams, and cover songs (`s3prl-pemr compare demo_full`).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from s3prl_pemr.comparison.corpus import STAGES as CORPUS_STAGES
from s3prl_pemr.comparison.corpus import demo_store
from s3prl_pemr.comparison.schedule import Runnable
from s3prl_pemr.comparison.stages import Stages
from s3prl_pemr.launch.outputs import check_folder
from s3prl_pemr.safety.sole_writer import sole_writer

from . import few_labels, full
from .few_labels import expdir_of
from .shown import show

HELP = "a first look that needs no data, in minutes; --full: the long version"
EXAMPLE = "s3prl-pemr demo DEMO"
STEPS = 60  # of the pretraining: about a minute of a core, two of an old one
MOST_TAGS = 4  # said of a piece


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "folder", metavar="DEMO", type=Path, help="where everything goes (0.4 GB; --full: 2 GB)"
    )
    parser.add_argument("--full", action="store_true", help="the long version: up to an hour on two cores")


def run(args: argparse.Namespace) -> int:
    """Carry out what is missing in the folder and print what was found. Returns the exit status."""
    check_folder(args.folder, "DEMO")
    with sole_writer(args.folder):
        return full.run(args.folder) if args.full else _run(args.folder)


def _run(folder: Path) -> int:
    from s3prl_pemr.covers.picture import alignment_figure  # matplotlib: --help does without
    from s3prl_pemr.report.files import write_png

    from . import covers
    from .labels_figure import labels_figure
    from .loss_figure import loss_figure
    from .side_by_side import Collection, Heads, Pretraining, run_all

    begin = time.monotonic()
    store = demo_store(Stages(folder, CORPUS_STAGES), folder, "magnatagatune", "--held-out")
    heads = {name: folder / "heads" / name for name in few_labels.UPSTREAMS}
    collection = Collection(folder / "covers")
    pretraining = Pretraining(STEPS, store, folder / "pretraining")
    cells: list[Runnable] = [Heads(name, store, heads[name], folder / "features") for name in heads]
    # Behind RULER's, whose dev scores are there before any score of PEMR's is.
    cells[1:1] = [pretraining, collection]
    status = run_all(cells)
    if status:
        return status
    rows, dropped = few_labels.read_rows(heads, store)
    texts = [few_labels.rule(dropped), few_labels.markdown(rows), *few_labels.verdict(rows)]
    write_png(folder / "labels.png", labels_figure(rows))
    show(folder / "labels.md", "\n".join(texts))
    found, score = covers.find(collection.folder, collection.index)
    clearest = min(found, key=lambda one: one.chance)
    write_png(folder / "covers.png", alignment_figure(clearest.match, clearest.query, clearest.first))
    show(folder / "covers.md", covers.markdown(found, score))
    write_png(folder / "loss.png", loss_figure(pretraining.expdir / "log.jsonl", STEPS // 2))
    _show_music(folder, expdir_of(heads["pemr"], 1.0) / "dev-best.ckpt")
    pictures = ", ".join(str(folder / name) for name in ("labels.png", "covers.png", "loss.png", "music.png"))
    print(f"\nto look at: {pictures}\n{time.monotonic() - begin:.0f} s")
    return 0


def _show_music(folder: Path, head: Path) -> None:
    """Real music: its tags by the head of the shipped PEMR, and the frames that PEMR finds important."""
    import s3prl_pemr
    from s3prl_pemr.report.files import write_png

    from .head_tags import head_tags
    from .music_picture import draw, pieces

    tags = head_tags(head, pieces(), MOST_TAGS)
    figure, caption = draw(s3prl_pemr.load("pemr"), tags)
    write_png(folder / "music.png", figure)
    show(folder / "music.md", caption)
