"""The songs and artists of scored clips, from the groups.tsv beside a store."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from s3prl_pemr.store.groups import Group


def song_numbers(tracks: Sequence[str], groups: dict[str, Group] | None) -> np.ndarray:
    """The song of each clip as a number from 0 on; a clip whose song is not known is one of its own.

    Returns: int64, (clips,).
    """
    groups = groups or {}
    known = [f"song {groups[track].song}" if _song(groups, track) else f"clip {track}" for track in tracks]
    return np.unique(known, return_inverse=True)[1]


def by_new_artists(
    tracks: Sequence[str], training_tracks: Sequence[str], groups: dict[str, Group]
) -> np.ndarray:
    """Which clips are by an artist of no training clip; not one whose artist is not known: rows, int64."""
    heard = {groups[track].artist for track in training_tracks if track in groups}
    artists = [groups[track].artist if track in groups else "" for track in tracks]
    return np.array([row for row, artist in enumerate(artists) if artist and artist not in heard], np.int64)


def _song(groups: dict[str, Group], track: str) -> str:
    return groups[track].song if track in groups else ""
