"""Which clips does an upstream find alike? A map of a tagged store: PCA, then t-SNE, of the clips' vectors.

A page on which clips are named on hover, played on a click, and those of a tag are red; or places, as .npz.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from s3prl_pemr.launch.outputs import check_file
from s3prl_pemr.report.printable import visible

HELP = "a map of a tagged store by what an upstream hears"
EXAMPLE = "s3prl-pemr map STORE -o map.html --split test"
MOST_CLIPS, MOST_SOUNDS = 1000, 300  # of a page of some 8 MB


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add("store", metavar="STORE", type=Path, help="a folder that prepare wrote")
    add("-o", "--out", metavar="HTML", type=Path, default=Path("map.html"), help="a page, or FILE.npz")
    add("-u", "--upstream", default="pemr", help="of s3prl's hub; default: pemr, whose weights come along")
    add("-k", "--upstream_ckpt", metavar="CKPT", help="its checkpoint")
    add("--layer", type=int, help="of its hidden states, from 0; default: the last")
    add("--split", help="of the store; default: all its clips")
    add("--clips", type=int, default=MOST_CLIPS, help=f"at most as many are drawn; default {MOST_CLIPS}")
    add("--seed", type=int, default=0, help="of the clips that are drawn, and of t-SNE; default 0")
    add("--device", help="cuda where there is one, else cpu")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    check_file(args.out, "-o")
    from s3prl.downstream.music_tagging.scoring.clip_groups import song_numbers

    from s3prl_pemr.embedding.embedder import Embedder, Wanted
    from s3prl_pemr.safety.whole_file import write_whole
    from s3prl_pemr.store import AudioStore
    from s3prl_pemr.store.groups import read_groups

    from . import clip_map
    from .map_page import map_page

    store = AudioStore(args.store)
    rows = store.select(args.split)
    rng = np.random.default_rng(args.seed)
    chosen = np.sort(rng.choice(rows, min(args.clips, len(rows)), replace=False))
    embedder = Embedder(Wanted(args.upstream, args.upstream_ckpt, args.layer, pool="mean"), args.device)
    vectors = clip_map.clip_vectors(store, chosen, embedder)
    tracks, labels = clip_map.named(store, chosen)
    places, explained = clip_map.lay_out(vectors, args.seed)
    shares = clip_map.shared_tags(vectors, labels, song_numbers(tracks, read_groups(store.path)))
    found = clip_map.ClipMap(tracks, labels, places, explained, *shares)
    counts = f"{len(chosen)} of {len(rows)} clips"
    if args.out.suffix == ".npz":
        clip_map.write_map(args.out, chosen, found)
        print(visible(f"saved to {args.out}: {counts}"))
        return 0
    heard = min(MOST_SOUNDS, len(chosen))
    about = (
        f"{counts} of {args.store.name}: t-SNE of their time means; neighbours are alike, far distances mean "
        f"little. Hover for the name, click to hear {clip_map.SOUND_SECONDS:g} s of {heard} of them."
    )
    sounds = clip_map.sounds_of(store, chosen, MOST_SOUNDS, args.seed)
    title = f"Which clips does {args.upstream} find alike?"
    write_whole(args.out, map_page(title, about, found, sounds).encode())
    print(visible(f"saved to {args.out}: {counts}, {heard} with sound"))
    return 0
