"""Which clips does an upstream find alike? A map of a tagged store: PCA, then t-SNE, of the clips' vectors.

A page on which clips are named on hover, played on a click, and those of a tag are red.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from s3prl_pemr.launch.outputs import check_file
from s3prl_pemr.report.printable import visible

HELP = "a map of a tagged store by what an upstream hears"
EXAMPLE = "s3prl-pemr map STORE -o map.html --split test"
MOST_CLIPS, MOST_SOUNDS, SOUND_SECONDS = 1000, 300, 5.0  # of a page of some 8 MB


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add("store", metavar="STORE", type=Path, help="a folder that prepare wrote")
    add("-o", "--out", metavar="HTML", type=Path, default=Path("map.html"))
    add("-u", "--upstream", default="pemr", help="of s3prl's hub; default: pemr, whose weights come along")
    add("-k", "--upstream_ckpt", metavar="CKPT", help="its checkpoint")
    add("--split", help="of the store; default: all its clips")
    add("--seed", type=int, default=0, help="of the clips that are drawn, and of t-SNE; default 0")
    add("--device", help="cuda where there is one, else cpu")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    check_file(args.out, "-o")
    from s3prl_pemr.embedding.embedder import Embedder, Wanted
    from s3prl_pemr.report.data_urls import sound_url
    from s3prl_pemr.safety.whole_file import write_whole
    from s3prl_pemr.store import AudioStore

    from .clip_map import ClipMap, clip_vectors, excerpt, lay_out
    from .map_page import map_page

    store = AudioStore(args.store)
    rows = store.select(args.split)
    rng = np.random.default_rng(args.seed)
    chosen = np.sort(rng.choice(rows, min(MOST_CLIPS, len(rows)), replace=False))
    embedder = Embedder(Wanted(args.upstream, args.upstream_ckpt, pool="mean"), args.device)
    places, explained = lay_out(clip_vectors(store, chosen, embedder), args.seed)
    labels = [store.labels[row] for row in chosen]
    found = ClipMap([store.tracks[row] for row in chosen], labels, places, explained)
    heard = set(rng.permutation(len(chosen))[:MOST_SOUNDS].tolist())
    sounds = [
        sound_url(excerpt(store, int(row), SOUND_SECONDS), store.sample_rate) if place in heard else None
        for place, row in enumerate(chosen)
    ]
    title = f"Which clips does {args.upstream} find alike?"
    about = (
        f"{len(chosen)} of {len(rows)} clips of {args.store.name}: t-SNE of their time means; neighbours are "
        f"alike, far distances mean little. (The best plane shows {explained:.0%} of the variance.) Hover "
        f"for the name, click to hear {SOUND_SECONDS:g} s of {len(heard)} of them."
    )
    write_whole(args.out, map_page(title, about, found, sounds).encode())
    print(visible(f"saved to {args.out}: {len(chosen)} of {len(rows)} clips, {len(heard)} with sound"))
    return 0
