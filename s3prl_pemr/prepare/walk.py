"""Finds files in a tree, and keeps account of what it leaves out."""

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from s3prl_pemr.store.index import StoreError

from .summary import name_some

LIBSNDFILE_SUFFIXES = frozenset(
    (".aif", ".aifc", ".aiff", ".au", ".bwf", ".caf", ".flac", ".mp2", ".mp3", ".oga", ".ogg", ".opus")
    + (".rf64", ".snd", ".sph", ".voc", ".w64", ".wav", ".wave")
)
FFMPEG_SUFFIXES = frozenset(
    (".3gp", ".aac", ".ac3", ".alac", ".amr", ".ape", ".dff", ".dsf", ".dts", ".eac3", ".m4a", ".m4b", ".m4r")
    + (".mka", ".mp4", ".mpc", ".ra", ".spx", ".tak", ".tta", ".weba", ".webm", ".wma", ".wv")
)
AUDIO_SUFFIXES = LIBSNDFILE_SUFFIXES | FFMPEG_SUFFIXES
# What systems and programs leave in a collection: deleted, earlier or derived files. Any other name that
# begins with a dot may be an album (".5: The Gray Chapter").
LITTER = frozenset(
    (".AppleDouble", ".DS_Store", ".DocumentRevisions-V100", ".Spotlight-V100", ".TemporaryItems", ".Trashes")
    + (".Trash", ".fseventsd", ".localized", ".directory", ".nomedia", ".cache", ".thumbnails", ".stversions")
    + (".snapshot", ".snapshots", ".zfs", ".dropbox.cache", ".git", ".hg", ".svn", ".venv")
)
LITTER_PREFIXES = (".Trash-", ".nfs", ".fuse_hidden")
APPLE_DOUBLE_PREFIX = "._"  # one beside each file that macOS copied
LEADS_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


@dataclass
class Tree:
    """The files below a folder.

    Attributes:
        root: the folder.
        files: every file, by its path; a link that leads nowhere is one, if its name is that of audio.
        left_out: by kind, the paths relative to the root, of files and of whole folders.
    """

    root: Path
    files: list[Path] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def named_audio(self) -> dict[str, Path]:
        """The files whose names say that they are audio, by their paths relative to the root, with `/`."""
        audio = (path for path in self.files if is_audio(path))
        return {path.relative_to(self.root).as_posix(): path for path in audio}

    def unused_audio(self, used: Iterable[Path]) -> list[str]:
        """The names of named_audio that are none of these files."""
        paths = set(used)
        return [name for name, path in self.named_audio().items() if path not in paths]

    def remarks(self) -> list[str]:
        """What was left out: a line for each kind."""
        return [f"{len(paths)} {kind}: {name_some(sorted(paths))}" for kind, paths in self.left_out.items()]

    def _leave_out(self, kind: str, path: str) -> None:
        self.left_out.setdefault(kind, []).append(os.path.relpath(path, self.root))


def walk(root: Path) -> Tree:
    """Every file of the tree. Links are followed, each folder once, so that a loop of links ends.

    Raises:
        StoreError: the root itself cannot be read.
    """
    tree = Tree(root)
    seen, folders = set(), [str(root)]
    while folders:
        folder = folders.pop()
        try:
            status = Path(folder).stat()
            if (status.st_dev, status.st_ino) in seen:
                tree._leave_out("folders that links lead to a second time, read once", folder)
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            if folder == str(root):
                raise StoreError(f"{root}: cannot be read ({error.strerror})") from error
            tree._leave_out(f"folders cannot be read ({error.strerror})", folder)
            continue
        below = [entry.path for entry in entries if _is_folder(tree, entry)]
        folders += reversed(below)
    tree.files.sort(key=lambda path: path.relative_to(root).as_posix())
    return tree


def _is_folder(tree: Tree, entry: os.DirEntry) -> bool:
    """Whether the walk goes on below an entry; anything else is put where it belongs."""
    if entry.name.startswith(APPLE_DOUBLE_PREFIX):
        kind = "AppleDouble files, left out"
    elif entry.name in LITTER or entry.name.startswith(LITTER_PREFIXES):
        kind = "files and folders that systems and programs leave behind, left out"
    else:
        try:
            if entry.is_dir():
                return True
            if entry.is_file():
                tree.files.append(Path(entry.path))
                return False
            entry.stat()  # raises where a link leads nowhere
            kind = "pipes, sockets or devices, left out"
        except OSError as error:
            nowhere = entry.is_symlink() and error.errno in LEADS_NOWHERE
            kind = "links lead nowhere" if nowhere else f"files cannot be read ({error.strerror})"
            if is_audio(Path(entry.path)):
                tree.files.append(Path(entry.path))
    tree._leave_out(kind, entry.path)
    return False


def is_audio(path: Path) -> bool:
    """Whether the name says so."""
    return suffix_of(path) in AUDIO_SUFFIXES


def suffix_of(path: Path) -> str:
    """The suffix in small letters, also of a name that begins with dots or is nothing else (`.mp3`)."""
    _, dot, suffix = path.name.rpartition(".")
    return f".{suffix.lower()}" if dot else ""
