"""The genre part in GTZAN's layout: genres/GENRE/GENRE.000NN.wav and three lists of the split."""

from collections import Counter
from dataclasses import replace

from s3prl_pemr.demo.music.recording import Recording

from .excerpts import draw_excerpts
from .names import performers

GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
WORKS = {"train": 3, "valid": 1, "test": 1}  # of each genre
CLIPS_PER_WORK = 4
CLIP_SECONDS = 20
RATE = 22_050


def plan_gtzan(seed: tuple[int, ...], titles: list[str]) -> tuple[list[Recording], dict[str, str]]:
    """Recordings, and the lists by path. Genres have equally many clips; no work is in two splits."""
    recordings, lists = [], {split: "" for split in WORKS}
    artists, used = performers(seed[0]), Counter()
    for genre in GENRES:
        clip_number = 0
        for split in (split for split, works in WORKS.items() for _ in range(works)):
            number = len(recordings)
            seconds = [CLIP_SECONDS] * CLIPS_PER_WORK
            recording = draw_excerpts(
                (*seed, number), titles[number], artists[number], genre, split, seconds, RATE, used
            )
            files = [f"{genre}/{genre}.{clip_number + i:05d}.wav" for i in range(CLIPS_PER_WORK)]
            clip_number += CLIPS_PER_WORK
            clips = [
                replace(clip, path=f"gtzan/genres/{file}")
                for clip, file in zip(recording.clips, files, strict=True)
            ]
            recordings.append(replace(recording, clips=tuple(clips)))
            lists[split] += "".join(f"{file}\n" for file in files)
    return recordings, {f"gtzan/{split}_filtered.txt": text for split, text in lists.items()}


def number_of_works() -> int:
    """How many titles `plan_gtzan` takes."""
    return len(GENRES) * sum(WORKS.values())
