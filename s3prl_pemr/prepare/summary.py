"""What prepare says at its end."""

from collections import Counter
from collections.abc import Sequence

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.report.printable import printable
from s3prl_pemr.store.index import INDEX_FILE, UNREADABLE_FILE, Stamp, Unreadable
from s3prl_pemr.store.writer import StoreWriter

from .plan import Plan
from .source import Listing

NAMES_SHOWN = 5


def summary_lines(listing: Listing, plan: Plan, writer: StoreWriter, shared: Sequence[str]) -> list[str]:
    """What the user should know about a finished store, the counts last; `shared`: lines of shared_music."""
    lines = list(listing.remarks)
    if plan.relabelled:
        lines.append(f"split or labels of {plan.relabelled} stored tracks were brought up to date")
    noted = [(entry.track, entry.note) for entry in writer.entries]
    silent = [track for track, note in noted if note == "silent"]
    clipped = [f"{track}: {note}" for track, note in noted if note.startswith("clipped")]
    cancelled = [f"{track}: {note}" for track, note in noted if note.startswith("cancelled")]
    unreadable = [_named(row) for row in writer.unreadable]
    for what, names, where in (
        ("unreadable, not stored", unreadable, UNREADABLE_FILE),
        ("silent, stored all the same", silent, INDEX_FILE),
        ("above full scale, clipped", clipped, INDEX_FILE),
        ("with channels that cancel each other in mono, stored all the same", cancelled, INDEX_FILE),
    ):
        if names:
            lines.append(f"{len(names)} {what} (all in {writer.path / where}): {name_some(names)}")
    splits = Counter(entry.split for entry in writer.entries)
    if listing.split_counts is not None:
        lines += _compared_with_the_whole(listing, listing.split_counts, splits, writer.unreadable)
    elif set(splits) != {""} and splits:
        counts = ", ".join(f"{name or '(none)'} {splits[name]}" for name in sorted(splits))
        lines.append(f"splits: {counts}")
    lines += [f"WARNING: {line}" for line in shared]
    hours = sum(entry.length_samples for entry in writer.entries) / SAMPLE_RATE / 3600
    lines.append(
        f"{writer.path}: {len(writer.entries)} tracks, {hours:.2f} hours, {len(unreadable)} unreadable, "
        f"{len(silent)} silent, {len(clipped)} clipped" + ("" if writer.entries else ": nothing was readable")
    )
    return lines


def name_some(names: Sequence[str]) -> str:
    """The first few names and how many there are besides, in one line."""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return " | ".join(map(printable, names[:NAMES_SHOWN])) + more


def others_seen(names: Sequence[str]) -> str:
    """Of audio files that have not the names they should have: how many, and some of the names."""
    if not names:
        return "no other audio files were seen"
    return f"{len(names)} audio files of other names were seen, for instance {name_some(names)}"


def _named(row: Unreadable) -> str:
    return f"{row.path}: {row.reason}"


def _compared_with_the_whole(
    listing: Listing, split_counts: dict[str, int], stored: Counter, unreadable: list[Unreadable]
) -> list[str]:
    lines = []
    sources = {source.track: source for source in listing.sources}
    absent = [sources[row.track] for row in unreadable if row.stamp == Stamp()]
    if absent:
        by_split = Counter(source.split for source in absent)
        by_folder = Counter(source.path.parent.name for source in absent)
        lines.append(
            f"WARNING: {len(absent)} listed files are not there: {_counts(by_split)}; "
            f"by their folders: {_counts(by_folder)}"
        )
    broken = [row for row in unreadable if row.stamp != Stamp()]
    known = [_named(row) for row in broken if row.track in listing.known_broken]
    if known:
        lines.append(f"known to be damaged in some copies of the data set: {name_some(known)}")
    damaged = [_named(row) for row in broken if row.track not in listing.known_broken]
    if damaged:
        lines.append(
            f"WARNING: {len(damaged)} files are there but unreadable; get them again: {name_some(damaged)}"
        )
    lines.append("splits: " + ", ".join(f"{name} {stored[name]} of {n}" for name, n in split_counts.items()))
    empty = [name for name in split_counts if not stored[name]]
    if any(stored[name] < count for name, count in split_counts.items()):
        lines.append(
            "WARNING: the splits are not whole: scores on them are not those of the published splits"
            + (f"; there is nothing in {', '.join(empty)}" if empty else "")
        )
    return lines


def _counts(counter: Counter) -> str:
    return ", ".join(f"{name} {counter[name]}" for name in sorted(counter))
