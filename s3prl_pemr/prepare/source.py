"""What a data set's reader hands over: its files, and the name, split and labels of each."""

import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from s3prl_pemr.store.dataset_name import DatasetName, write_dataset_name
from s3prl_pemr.store.groups import Group, write_groups
from s3prl_pemr.store.index import Stamp, StoreError
from s3prl_pemr.store.parts import Shard
from s3prl_pemr.store.tag_list import write_tags


@dataclass(frozen=True)
class Source:
    """One track to be stored.

    `track` is its name in the store, unique in the listing; `path` is the file it comes from, which may be
    missing.
    """

    track: str
    path: Path
    split: str = ""
    labels: tuple[str, ...] = ()

    def stamp(self) -> Stamp:
        """Size and time of the file as it is now."""
        try:
            status = self.path.stat()
        except OSError:
            return Stamp()
        return Stamp(status.st_size, status.st_mtime_ns)


@dataclass
class Listing:
    """A data set: its tracks in the order they are stored in, and what the user should know about it.

    Attributes:
        root: the folder it lies in: a source that leads out of it is reported, not read.
        sources: its tracks.
        dataset: what reports call it.
        remarks: a line each, for the summary.
        split_counts: how many tracks each split should have; None where nothing says so.
        known_broken: tracks of which damaged copies are known to go round.
        tags: the order of its tags, for tags.txt.
        groups: artist and song of its tracks, for groups.tsv.
        others: audio files below the root that nothing lists: of use where nothing that is listed is there.
    """

    root: Path
    sources: list[Source]
    dataset: DatasetName
    remarks: list[str] = field(default_factory=list)
    split_counts: Mapping[str, int] | None = None
    known_broken: Collection[str] = ()
    tags: Sequence[str] | None = None
    groups: Mapping[str, Group] | None = None
    others: Sequence[str] = ()

    def count_splits(self) -> dict[str, int]:
        """How many tracks are listed for each split."""
        return dict(Counter(source.split for source in self.sources))

    def part(self, shard: Shard) -> "Listing":
        """The tracks that fall to a part; how many each split should have is not known of it.

        Raises:
            StoreError: none does.
        """
        own = [source for source in self.sources if shard.holds(source.track)]
        if not own:
            raise StoreError(
                f"{self.root}: none of its {len(self.sources)} tracks falls to part {shard}: take fewer parts"
            )
        tracks = {source.track for source in own}
        groups = self.groups and {track: group for track, group in self.groups.items() if track in tracks}
        remarks = [*self.remarks, f"part {shard}: {len(own)} of {len(self.sources)} tracks"]
        return replace(self, sources=own, groups=groups, remarks=remarks, split_counts=None)

    def write_beside(self, store: Path) -> None:
        """The small files that tell a task what the store holds. Raises OSError."""
        write_dataset_name(store, self.dataset)
        if self.tags is not None:
            write_tags(store, self.tags)
        if self.groups is not None:
            write_groups(store, self.groups)

    def shown(self, source: Source) -> str:
        """The source's path as the reports name it: relative to the root where it is below it."""
        return os.path.relpath(source.path, self.root) if self.holds(source) else str(source.path)

    def holds(self, source: Source) -> bool:
        """Whether the path, as text, stays below the root. Links may lead anywhere: the user set them."""
        return Path(os.path.normpath(source.path)).is_relative_to(os.path.normpath(self.root))
