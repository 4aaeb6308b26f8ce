"""Which versions of listed works a user's folder has: what is kept, what is left out and why.

Recordings that a data set names by their addresses vanish. What is left of its splits has to be said with
every score: align_to_official_splits.py of MTG/discogs-vi-dataset does so for Discogs-VI-YT.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from s3prl_pemr.report.files import write_tsv

LEFT_OUT_FILE = "left_out.tsv"
NO_FILE, LONE = "no file", "no other version of its work has a file"
COLUMNS = ("split", "work", "id", "why")


@dataclass(frozen=True)
class Version:
    """A listed version: its split, its work, and the id that its file is named by."""

    split: str
    work: str
    id: str


@dataclass(frozen=True)
class Alignment:
    """What was found of the listed versions.

    Attributes:
        listed: all, in their order.
        kept: those to be stored, in their order.
        left_out: the others, each with the reason.
    """

    listed: Sequence[Version]
    kept: Sequence[Version]
    left_out: Sequence[tuple[Version, str]]

    def lines(self) -> list[str]:
        """A line for each split: works and versions that are kept, and what became of the others."""
        return [self._line(split) for split in dict.fromkeys(version.split for version in self.listed)]

    def _line(self, split: str) -> str:
        listed, kept = (
            Counter(version.work for version in versions if version.split == split)
            for versions in (self.listed, self.kept)
        )
        why = Counter(reason for version, reason in self.left_out if version.split == split)
        whole = sum(kept[work] == versions for work, versions in listed.items())
        lone = sum(kept[work] == 1 < versions for work, versions in listed.items())
        line = (
            f"{split}: {len(kept)} of {len(listed)} works ({_percent(len(kept), len(listed))}), {whole} of "
            f"them whole, and {kept.total()} of {listed.total()} versions "
            f"({_percent(kept.total(), listed.total())}) are kept"
        )
        if lone:
            line += f"; {lone} works have lost all versions but one and are no queries"
        return line + "".join(f"; left out, {reason}: {why[reason]} versions" for reason in sorted(why))

    def write(self, folder: Path) -> Path:
        """Write every version that is left out to left_out.tsv. Returns its path. Raises OSError."""
        rows = ((version.split, version.work, version.id, why) for version, why in self.left_out)
        write_tsv(folder / LEFT_OUT_FILE, COLUMNS, rows)
        return folder / LEFT_OUT_FILE


def align(listed: Sequence[Version], there: Collection[str], keep_lone: bool) -> Alignment:
    """Keep the versions that have a file.

    Args:
        listed: every version of the data set. A work that has one there is a distractor of its authors', and
            is kept.
        there: ids that have a file.
        keep_lone: keep the one version that is left of a work, to be ranked; it is no query any more.
    """
    versions = Counter((version.split, version.work) for version in listed)
    found = Counter((version.split, version.work) for version in listed if version.id in there)
    kept, left_out = [], []
    for version in listed:
        work = version.split, version.work
        if version.id not in there:
            left_out.append((version, NO_FILE))
        elif found[work] == 1 < versions[work] and not keep_lone:
            left_out.append((version, LONE))
        else:
            kept.append(version)
    return Alignment(listed, kept, left_out)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"
