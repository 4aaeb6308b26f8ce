"""CQT columns of whole tracks of free game music, from Debian's packages.

    python recipes/covers/columns.py columns.npz [--packages CACHE]

tracks.tsv names package and file of each; of a track the first 240 s. Needs what recipes/game_music needs,
and its packages: give it the same CACHE.
"""

import argparse
import csv
import sys
import tempfile
from itertools import groupby
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "game_music"))

import s3prl_pemr  # noqa: F401, E402 - registers s3prl.downstream.cover_song

# isort: split
from decoding import decode  # noqa: E402
from packages import Unavailable, download, extract  # noqa: E402
from s3prl.downstream.cover_song.cqt.transform import by_peak, cqt_columns  # noqa: E402

from s3prl_pemr.audio import SAMPLE_RATE  # noqa: E402
from s3prl_pemr.report.progress import Progress  # noqa: E402

MOST_SECONDS = 240


def main() -> None:
    """Write columns, folder and name of each track that could be had; say which could not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--packages", metavar="CACHE", type=Path, default=Path("packages"))
    parser.add_argument("--only", metavar="PACKAGE", help="of one package alone: a trial")
    args = parser.parse_args()
    args.packages.mkdir(parents=True, exist_ok=True)
    with (HERE / "tracks.tsv").open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file, delimiter="\t"), key=lambda row: row["package"])
    rows = [row for row in rows if args.only in (None, row["package"])]
    found = []
    with Progress(total=len(rows), desc="columns", unit="track") as bar:
        for package, group in groupby(rows, key=lambda row: row["package"]):
            found += _of_package(package, list(group), args.packages, bar)
    columns = [cqt for _, cqt in found]
    np.savez(
        args.out, cqt=np.concatenate(columns, axis=1), columns=[cqt.shape[1] for cqt in columns],
        tracks=[row["track"] for row, _ in found], folders=[row["folder"] for row, _ in found],
    )  # fmt: skip
    print(f"{len(found)} of {len(rows)} tracks are in {args.out}")


def _of_package(package: str, rows: list[dict], cache: Path, bar: Progress) -> list[tuple[dict, np.ndarray]]:
    found = []
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        try:
            files = extract(download(package, cache), [row["file"] for row in rows], Path(folder))
        except Unavailable as error:
            bar.update(len(rows))
            bar.write(f"missing: {len(rows)} tracks of {package}: {error}")
            return []
        for row in rows:
            bar.update()
            try:
                if row["file"] not in files:
                    raise Unavailable("not in the package")
                wav = decode(files[row["file"]])[: MOST_SECONDS * SAMPLE_RATE]
                found.append((row, by_peak(cqt_columns(wav)).astype(np.float16)))
            except Unavailable as error:
                bar.write(f"missing: {row['file']} of {package}: {error}")
    return found


if __name__ == "__main__":
    main()
