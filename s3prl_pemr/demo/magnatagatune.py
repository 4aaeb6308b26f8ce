"""The tagging part in MagnaTagATune's layout: folders 0 ... f, which decide the split, two tables."""

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.demo.music.recording import Clip, Recording
from s3prl_pemr.demo.music.styles import styles
from s3prl_pemr.prepare.datasets.mtat import ANNOTATIONS_FILE, SPLIT_FOLDERS

from .excerpts import draw_excerpts
from .held_out import hold_out
from .names import performers, slug
from .tags import all_tags, tags_for, tags_of

WORKS = {"train": 6, "valid": 2, "test": 2}  # of each style
CLIPS_PER_WORK = 3
CLIP_SECONDS = 15, 29  # whole seconds, from ... to
LEAST_POSITIVES = 5  # of each tag in each split
ID_STEP = 20  # clip ids rise by 1 ... so many: the real ones have gaps too
INFO_COLUMNS = (
    *("clip_id", "track_number", "title", "artist", "album", "url", "segmentStart", "segmentEnd"),
    *("original_url", "mp3_path"),
)


def plan_magnatagatune(
    seed: tuple[int, ...], titles: list[str], held_out: bool = False
) -> tuple[list[Recording], dict[str, str]]:
    """Recordings, and the tables by path.

    A split is drawn anew, with the next sub-seed, until every tag has LEAST_POSITIVES in it.

    Args:
        held_out: then the works are split by styles, as held_out.py has it.
    """
    recordings, tags = [], {}
    for number, split in enumerate(WORKS):
        for attempt in itertools.count():
            drawn = list(_draw_split((*seed, number, attempt), split, titles, len(recordings)))
            # Arranging takes long: first a look at who is to play.
            if _enough(_promised_tags(drawn)) and _enough(split_tags := clip_tags(drawn)):
                break
        recordings += drawn
        tags |= split_tags
    if held_out:
        moved = hold_out(recordings)
        tags = {new.path: tags[old.path] for old, new in zip(_clips(recordings), _clips(moved), strict=True)}
        recordings = moved
    return recordings, _tables(seed, recordings, tags)


def number_of_works() -> int:
    """How many titles `plan_magnatagatune` takes."""
    return len(styles()) * sum(WORKS.values())


def clip_tags(recordings: list[Recording]) -> dict[str, set[str]]:
    """The tags of every clip, by its path."""
    tags = {}
    for recording in recordings:
        score = recording.score()
        for clip in recording.clips:
            tags[clip.path] = tags_of(score, clip.start_seconds, clip.end_seconds)
    return tags


def tag_counts(tags: dict[str, set[str]]) -> Counter:
    """Clips by tag; every tag is counted."""
    counts = Counter(dict.fromkeys(all_tags(), 0))
    for marks in tags.values():
        counts.update(marks)
    return counts


def _clips(recordings: list[Recording]) -> list[Clip]:
    return [clip for recording in recordings for clip in recording.clips]


def _enough(tags: dict[str, set[str]]) -> bool:
    return min(tag_counts(tags).values()) >= LEAST_POSITIVES


def _promised_tags(recordings: list[Recording]) -> dict[str, set[str]]:
    """What `clip_tags` will be if every player plays in every clip."""
    tags = {}
    for recording in recordings:
        work, rendition = recording.work, recording.rendition
        playing = [player.instrument for player in rendition.players]
        marks = tags_for(playing, rendition.style, work.mode, work.metre, rendition.beats_per_minute)
        tags |= dict.fromkeys((clip.path for clip in recording.clips), marks)
    return tags


def _draw_split(seed: tuple[int, ...], split: str, titles: list[str], first: int) -> Iterable[Recording]:
    """The works of a split, numbered from `first`."""
    rng, used = np.random.default_rng(seed), Counter()
    artists, folders = performers(seed[0]), SPLIT_FOLDERS[split]
    for number, style in enumerate(rng.permutation(list(styles()) * WORKS[split]).tolist(), start=first):
        seconds = rng.integers(CLIP_SECONDS[0], CLIP_SECONDS[1] + 1, CLIPS_PER_WORK).tolist()
        work_seed = (*seed, number)
        recording = draw_excerpts(
            work_seed, titles[number], artists[number], style, split, seconds, SAMPLE_RATE, used
        )
        yield _with_paths(recording, folders[number % len(folders)], _track_number(number))


def _track_number(work_number: int) -> int:
    return work_number % 12 + 1


def _with_paths(recording: Recording, folder: str, track: int) -> Recording:
    artist, title = slug(recording.performer), slug(recording.work.title)
    stem = f"magnatagatune/{folder}/{artist}-{slug(_album(recording))}-{track:02d}-{title}"
    clips = [
        replace(clip, path=f"{stem}-{clip.start_seconds}-{clip.end_seconds}.mp3") for clip in recording.clips
    ]
    return replace(recording, clips=tuple(clips))


def _album(recording: Recording) -> str:
    return f"{recording.rendition.style} sessions"


def _tables(seed: tuple[int, ...], recordings: list[Recording], tags: dict[str, set[str]]) -> dict[str, str]:
    clips = [
        (number, recording, clip) for number, recording in enumerate(recordings) for clip in recording.clips
    ]
    rng = np.random.default_rng(seed)
    rng.shuffle(clips)
    ids = np.cumsum(rng.integers(1, ID_STEP + 1, len(clips))) + 1
    annotations: list[list] = [["clip_id", *all_tags(), "mp3_path"]]
    infos: list[list] = [list(INFO_COLUMNS)]
    for clip_id, (number, recording, clip) in zip(ids.tolist(), clips, strict=True):
        path = clip.path.removeprefix("magnatagatune/")
        annotations.append([clip_id, *(int(tag in tags[clip.path]) for tag in all_tags()), path])
        names = (recording.work.title, recording.performer, _album(recording))
        span = (clip.start_seconds, clip.end_seconds)
        infos.append([clip_id, _track_number(number), *names, "", *span, "", path])
    return {
        f"magnatagatune/{ANNOTATIONS_FILE}": _quoted(annotations),
        "magnatagatune/clip_info_final.csv": _quoted(infos),
    }


def _quoted(rows: list[list]) -> str:
    """Tab-separated, every cell quoted, as the real tables are."""
    text = io.StringIO()
    csv.writer(text, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return text.getvalue()
