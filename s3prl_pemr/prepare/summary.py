"""What prepare says at its end."""

from collections import Counter

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.prepare.plan import Plan
from s3prl_pemr.prepare.source import Listing
from s3prl_pemr.store_index import INDEX_FILE, UNREADABLE_FILE, printable
from s3prl_pemr.store_writer import StoreWriter

NAMES_SHOWN = 5


def summary_lines(listing: Listing, plan: Plan, writer: StoreWriter) -> list[str]:
    """What the user should know about a finished store, the counts last."""
    lines = list(listing.remarks)
    if plan.relabelled:
        lines.append(f"split or labels of {plan.relabelled} stored tracks were brought up to date")
    noted = [(entry.track, entry.note) for entry in writer.entries]
    silent = [track for track, note in noted if note == "silent"]
    clipped = [f"{track}: {note}" for track, note in noted if note.startswith("clipped")]
    unreadable = [f"{row.path}: {row.reason}" for row in writer.unreadable]
    for what, names, where in (
        ("unreadable, not stored", unreadable, UNREADABLE_FILE),
        ("silent, stored all the same", silent, INDEX_FILE),
        ("above full scale, clipped", clipped, INDEX_FILE),
    ):
        if names:
            lines.append(f"{len(names)} {what} (all in {writer.path / where}): {name_some(names)}")
    splits = Counter(entry.split for entry in writer.entries)
    if set(splits) != {""} and splits:
        counts = ", ".join(f"{name or '(none)'} {splits[name]}" for name in sorted(splits))
        lines.append(f"splits: {counts}")
    hours = sum(entry.length_samples for entry in writer.entries) / SAMPLE_RATE / 3600
    lines.append(
        f"{writer.path}: {len(writer.entries)} tracks, {hours:.2f} hours, {len(unreadable)} unreadable, "
        f"{len(silent)} silent, {len(clipped)} clipped" + ("" if writer.entries else ": nothing was readable")
    )
    return lines


def name_some(names: list[str]) -> str:
    """The first few names and how many there are besides, in one line."""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return " | ".join(map(printable, names[:NAMES_SHOWN])) + more
