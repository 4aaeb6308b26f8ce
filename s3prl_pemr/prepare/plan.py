"""Compares what is to be stored with what is: what is left to do, and whether a stored source has changed."""

from collections import Counter
from dataclasses import dataclass, replace

from s3prl_pemr.report.printable import printable
from s3prl_pemr.store.index import REBUILD, Entry, Stamp, StoreError, Unreadable
from s3prl_pemr.store.writer import StoreWriter

from .source import Listing, Source

# Reasons that 0.1.0 gave for files that are read since: they are tried again.
READ_SINCE = ("libsndfile does not read", "mp3 of variable bit rate without a length tag")


@dataclass(frozen=True)
class Plan:
    """What one run of prepare does."""

    todo: list[tuple[Source, Stamp]]  # in the order of the listing
    entries: list[Entry]  # the stored tracks, with the splits and labels of the listing
    relabelled: int  # how many of them had others
    unreadable: list[Unreadable]  # those that are still as they were
    forgotten: int  # how many are not: gone from the listing, or to be tried again because the file changed
    changed: list[str]  # stored tracks whose file is another one since: decoded anew, behind the others


def make_plan(listing: Listing, writer: StoreWriter) -> Plan:
    """Sort the listing's sources into stored, known to be unreadable, and to do.

    A new source, and one whose file has changed, go to the end of the store. New splits and labels are taken
    over without touching the audio.

    Raises:
        StoreError: a track is listed twice, or a stored track's source has left the listing, as it does where
            a disk is not mounted.
    """
    name, count = Counter(source.track for source in listing.sources).most_common(1)[0]
    if count > 1:
        raise StoreError(f"{listing.root}: the track {printable(name)} is listed {count} times")
    sources = {source.track: source for source in listing.sources}
    stamps = {source.track: source.stamp() for source in listing.sources}
    _refuse(
        writer,
        "no longer there, or not in this split",
        [entry.track for entry in writer.entries if entry.track not in sources],
    )
    gone = [entry.track for entry in writer.entries if stamps[entry.track] == Stamp()]
    _refuse(writer, "no longer there", gone)
    changed = [entry.track for entry in writer.entries if entry.stamp != stamps[entry.track]]
    kept = [entry for entry in writer.entries if entry.stamp == stamps[entry.track]]
    entries = [
        replace(entry, split=sources[entry.track].split, labels=sources[entry.track].labels) for entry in kept
    ]
    unreadable = [
        row
        for row in writer.unreadable
        if stamps.get(row.track) == row.stamp and not row.reason.startswith(READ_SINCE)
    ]
    known = {entry.track for entry in entries} | {row.track for row in unreadable}
    return Plan(
        todo=[(source, stamps[source.track]) for source in listing.sources if source.track not in known],
        entries=entries,
        relabelled=sum(new != old for new, old in zip(entries, kept, strict=True)),
        unreadable=unreadable,
        forgotten=len(writer.unreadable) - len(unreadable),
        changed=changed,
    )


def _refuse(writer: StoreWriter, what: str, tracks: list[str]) -> None:
    if tracks:
        raise StoreError(
            f"{writer.path}: the sources of {len(tracks)} stored tracks are {what}, the first: "
            f"{printable(tracks[0])}; put them back, choose another DST, or {REBUILD} to decode all anew"
        )
