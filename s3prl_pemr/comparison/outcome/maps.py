"""The report's maps: the same clips of a store as several upstreams hear them."""

from __future__ import annotations

import html
from collections.abc import Mapping

from s3prl_pemr.comparison.map_cell import MapCell
from s3prl_pemr.comparison.schedule import Outcome
from s3prl_pemr.explain.clip_map import SOUND_SECONDS, read_map, sounds_of
from s3prl_pemr.explain.map_page import maps_of
from s3prl_pemr.report.printable import visible
from s3prl_pemr.store import AudioStore


def maps_section(ended: Mapping[MapCell, Outcome]) -> str:
    """A part of the report; '' where the plan has no maps, or none has ended.

    Args:
        ended: maps in the plan's order, each with how it ended.
    """
    if not ended:
        return ""
    first = next(iter(ended))
    store = AudioStore(first.place.stores[first.maps.store])
    parts = ["<h2>Which clips do they find alike?</h2>"]
    parts += [
        f'<p class="failed">{html.escape(visible(f"{cell.row.name}: failed: {outcome.failure}"))}</p>'
        for cell, outcome in ended.items()
        if outcome.failure
    ]
    known = {cell.row.name: read_map(cell.file, store) for cell, how in ended.items() if not how.failure}
    if known:
        rows, _ = next(iter(known.values()))
        split = f" of split {first.maps.split!r}" if first.maps.split else ""
        about = (
            f"{len(rows)} clips{split} of {first.maps.store}, by the time means of each row's frames: t-SNE. "
            "Neighbours are alike, far distances mean little, directions nothing. Hover to find a clip in "
            f"all maps; click to hear {SOUND_SECONDS:g} s of {min(first.maps.sounds, len(rows))} of them."
        )
        sounds = sounds_of(store, rows, first.maps.sounds)
        parts.append(maps_of(about, {name: found for name, (_, found) in known.items()}, sounds))
    return "".join(parts)
