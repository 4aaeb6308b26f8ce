"""Files of Debian packages, which are downloaded once and never installed."""

import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from excerpts import IN_ARCHIVE


class Unavailable(Exception):
    """What cannot be had, and why, in one line."""


def download(package: str, cache: Path) -> Path:
    """The package's file in `cache`, got with apt-get unless it is there. Raises Unavailable."""
    there = sorted(cache.glob(f"{package}_*.deb"))
    if there:
        return there[-1]
    with tempfile.TemporaryDirectory(dir=cache, prefix="download-") as folder:
        done = subprocess.run(
            ["apt-get", "download", "-q", package], cwd=folder, capture_output=True, text=True, check=False
        )
        got = list(Path(folder).glob("*.deb"))
        if done.returncode or not got:
            said = [line for line in done.stderr.splitlines() if line.startswith("E:")]
            raise Unavailable(f"apt-get download {package}: {said[0] if said else 'nothing came'}")
        return got[0].rename(cache / got[0].name)  # whole, or not there at all


def extract(package: Path, names: Iterable[str], folder: Path) -> dict[str, Path]:
    """Those of the files of a package that it has, each in `folder`, by name.

    Args:
        package: the .deb file.
        names: paths in the package; ARCHIVE!MEMBER is a file of a zip archive in it.
        folder: empty, for the files.

    Raises:
        Unavailable: the package cannot be read.
    """
    wanted: dict[str, list[str]] = {}
    for name in names:
        wanted.setdefault(name.partition(IN_ARCHIVE)[0], []).append(name)
    found = {}
    # A stream: only what is named goes to the disk.
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as unpacking:
        try:
            with tarfile.open(fileobj=unpacking.stdout, mode="r|") as tar:
                for member in tar:
                    outer = member.name.removeprefix("./")
                    if outer in wanted and member.isfile():
                        path = _file_for(outer, folder, len(found))
                        with tar.extractfile(member) as packed, path.open("wb") as file:
                            shutil.copyfileobj(packed, file)
                        found |= _named(path, wanted[outer], folder, len(found))
        except (tarfile.TarError, zipfile.BadZipFile) as error:
            raise Unavailable(f"{package.name} cannot be read: {error}") from error
        finally:
            unpacking.stdout.close()
    return found


def _file_for(name: str, folder: Path, number: int) -> Path:
    # Numbered: two folders of a package may hold files of one name, and its suffix has to stay.
    return folder / f"{number}-{Path(name).name}"


def _named(path: Path, names: list[str], folder: Path, number: int) -> dict[str, Path]:
    if IN_ARCHIVE not in names[0]:
        return {names[0]: path}
    found = {}
    with zipfile.ZipFile(path) as archive:
        for name in names:
            member = name.partition(IN_ARCHIVE)[2]
            if member in archive.namelist():
                found[name] = _file_for(member, folder, number + len(found))
                found[name].write_bytes(archive.read(member))
    path.unlink()
    return found
