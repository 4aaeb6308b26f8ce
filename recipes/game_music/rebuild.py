"""Rebuild the excerpts of free game music that the weights were pretrained on, from Debian's packages.

    python recipes/game_music/rebuild.py DST [--packages CACHE]

Needs apt-get and dpkg-deb, which Debian has, and for tracker modules openmpt123 (a Debian package). Nothing
is installed. DST is in MagnaTagATune's layout: `s3prl-pemr prepare mtat DST STORE`. Once interrupted, the
same command goes on.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import soundfile
from decoding import cut, decode
from excerpts import TABLE_FILE, Excerpt, read_excerpts, rebuilt
from packages import Unavailable, download, extract

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.report.progress import Progress
from s3prl_pemr.safety.whole_file import remove_leftovers, whole_file, write_whole

HERE = Path(__file__).resolve().parent
TABLES = ("annotations_final.csv", "clip_info_final.csv")
INSTALL = {
    "apt-get": "this needs Debian, or a system that is made of it",
    "dpkg-deb": "it is in Debian's package dpkg",
    "openmpt123": "get it with 'apt-get install openmpt123'",
}


def main(arguments: list[str] | None = None) -> int:
    """Rebuild; says what is missing. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("destination", metavar="DST", type=Path, help="folder for the data set (0.5 GB)")
    parser.add_argument(
        "--packages", metavar="CACHE", type=Path,
        help="folder that keeps the downloaded packages (2.9 GB); DST-packages by default",
    )  # fmt: skip
    parser.add_argument(
        "--tables", metavar="FOLDER", type=Path, default=HERE, help=f"where {TABLE_FILE} is; here by default"
    )
    args = parser.parse_args(arguments)
    cache = args.packages or args.destination.with_name(args.destination.name + "-packages")
    try:
        return rebuild(read_excerpts(args.tables / TABLE_FILE), args.tables, args.destination, cache)
    except (Unavailable, OSError) as error:
        print(visible(f"rebuild: {error}"), file=sys.stderr)
    except KeyboardInterrupt:
        print("rebuild: interrupted; run the same command again to go on", file=sys.stderr)
        return 130
    return 1


def rebuild(excerpts: list[Excerpt], tables: Path, destination: Path, cache: Path) -> int:
    """Write the excerpts that are not there. Returns 1 if any is missing then, otherwise 0.

    Raises:
        Unavailable: a program is missing.
        OSError: something cannot be written.
    """
    wanted = [each for each in excerpts if not (destination / each.rebuilt_path).exists()]
    _check_programs(wanted)
    cache.mkdir(parents=True, exist_ok=True)
    for folder in {(destination / each.rebuilt_path).parent for each in excerpts}:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
    for table in TABLES:
        # Cells are quoted, and nothing else in the tables ends like a path.
        text = (tables / table).read_text(encoding="utf-8").replace('.opus"\n', f'{rebuilt("")}"\n')
        write_whole(destination / table, text.encode())
    remarks, missing = [], 0
    with Progress(total=len(excerpts), initial=len(excerpts) - len(wanted), desc="rebuild", unit="") as bar:
        for package, group in _grouped(wanted, lambda each: each.package):
            absent, lines = _rebuild_package(package, group, destination, cache, bar)
            missing, remarks = missing + absent, remarks + lines
    for line in remarks:
        print(visible(line))
    print(f"{len(excerpts) - missing} of {len(excerpts)} excerpts are in {printable(str(destination))}")
    return int(missing > 0)


def _check_programs(wanted: list[Excerpt]) -> None:
    needed = ["apt-get", "dpkg-deb"] if wanted else []
    if any(each.is_module for each in wanted):
        needed.append("openmpt123")
    for program in needed:
        if not shutil.which(program):
            raise Unavailable(f"the program {program} is not there: {INSTALL[program]}")


def _rebuild_package(
    package: str, excerpts: list[Excerpt], destination: Path, cache: Path, bar: Progress
) -> tuple[int, list[str]]:
    """How many excerpts of one package cannot be had, and what there is to say."""
    missing, remarks = 0, []
    with tempfile.TemporaryDirectory(prefix="tracks-", dir=cache) as folder:
        try:
            there = download(package, cache)
            tracks = extract(there, dict.fromkeys(each.file for each in excerpts), Path(folder))
        except Unavailable as error:
            return len(excerpts), [f"missing: {len(excerpts)} excerpts of {package}: {error}"]
        for file, group in _grouped(excerpts, lambda each: each.file):
            name = f"{package}: {printable(file)}"
            try:
                if file not in tracks:
                    raise Unavailable(f"not in {there.name}")
                if group[0].differs(tracks[file]):
                    remarks.append(f"another version, taken all the same: {name} of {there.name}")
                _write_excerpts(tracks[file], group, destination, bar)
            except Unavailable as error:
                absent = [each for each in group if not (destination / each.rebuilt_path).exists()]
                missing += len(absent)
                remarks.append(f"missing: {len(absent)} excerpts of {name}: {error}")
    return missing, remarks


def _write_excerpts(track: Path, excerpts: list[Excerpt], destination: Path, bar: Progress) -> None:
    wav = decode(track)
    for excerpt in excerpts:
        samples = cut(wav, excerpt.begin_seconds, excerpt.end_seconds)
        with whole_file(destination / excerpt.rebuilt_path) as file:
            soundfile.write(file, samples, SAMPLE_RATE, format="FLAC")
        bar.update()


def _grouped(excerpts: list[Excerpt], key: Callable[[Excerpt], str]) -> Iterator[tuple[str, list[Excerpt]]]:
    for value, group in groupby(sorted(excerpts, key=key), key):
        yield value, list(group)


if __name__ == "__main__":
    sys.exit(main())
