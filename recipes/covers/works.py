"""CQT columns of composed works, in renditions of other styles, keys, tempi and instruments.

python recipes/covers/works.py works.npz --first 0 --works 2000
python recipes/covers/works.py unseen.npz --first 100000 --works 60
"""

import argparse
from pathlib import Path

import numpy as np

import s3prl_pemr  # noqa: F401 - registers s3prl.downstream.cover_song

# isort: split
from s3prl.downstream.cover_song.cqt.transform import by_peak, cqt_columns

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.demo import covers
from s3prl_pemr.demo.music.render import render
from s3prl_pemr.report.progress import Progress

SEED = (777, 9)
VERSIONS = 4


def main() -> None:
    """Write columns and work of each rendition."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--works", type=int, default=2000)
    args = parser.parse_args()
    columns, works = [], []
    for work in Progress(range(args.first, args.first + args.works), "works", unit="work"):
        for recording in covers.draw_covers((*SEED, work), f"t{work}", VERSIONS, ""):
            columns.append(by_peak(cqt_columns(render(recording.score(), SAMPLE_RATE))).astype(np.float16))
            works.append(work)
    counts = [cqt.shape[1] for cqt in columns]
    np.savez(args.out, cqt=np.concatenate(columns, axis=1), columns=counts, works=works)


if __name__ == "__main__":
    main()
