"""The cover part: works in several renditions, in the layouts of SHS100K and Covers80."""

from collections import Counter
from dataclasses import replace

import numpy as np

from s3prl_pemr.audio import SAMPLE_RATE
from s3prl_pemr.demo.music.recording import Clip, Recording
from s3prl_pemr.demo.music.rendition import FORMS, draw_rendition
from s3prl_pemr.demo.music.styles import METRES, styles
from s3prl_pemr.demo.music.work import Work, compose

from .excerpts import MODES
from .names import performers, slug

SHS_WORKS, SHS_VERSIONS = {"TRAIN": 76, "VAL": 16, "TEST": 40}, 4
COVERS80_WORKS, COVERS80_VERSIONS = 20, 2
SECONDS = 60, 75  # of a rendition
METRE_CHANCES = (0.6, 0.2, 0.2)  # of METRES
QUARTERS_PER_MINUTE = 80, 125  # of a work
TEMPO_RATIO = 0.8, 1.25  # of a rendition to its work
COVERS32K = "covers80/coversongs/covers32k"


def plan_shs100k(seed: tuple[int, ...], titles: list[str]) -> tuple[list[Recording], dict[str, str]]:
    """Recordings, and the list and split files by path; the split is by work."""
    rng = np.random.default_rng(seed)
    splits = rng.permutation([name for name, works in SHS_WORKS.items() for _ in range(works)]).tolist()
    recordings, rows, tables = [], [], {f"shs100k/SHS100K-{name}": "" for name in SHS_WORKS}
    for work, split in enumerate(splits):
        for version, cover in enumerate(draw_covers((*seed, work), titles[work], SHS_VERSIONS, split)):
            file = f"{work}_{version}.mp3"
            recordings.append(_with_path(cover, f"shs100k/audio/{file}"))
            rows.append((work, version, titles[work], cover.performer, f"demo:{file}", "True"))
            tables[f"shs100k/SHS100K-{split}"] += f"{work}\t{version}\n"
    return recordings, {"shs100k/list": "".join("\t".join(map(str, row)) + "\n" for row in rows), **tables}


def plan_covers80(seed: tuple[int, ...], titles: list[str]) -> tuple[list[Recording], dict[str, str]]:
    """Recordings, and the two lists by path: line n of both is the same work."""
    recordings, lists = [], [""] * COVERS80_VERSIONS
    for work, title in enumerate(titles[:COVERS80_WORKS]):
        song = title.replace(" ", "_")
        for version, cover in enumerate(draw_covers((*seed, work), title, COVERS80_VERSIONS, "")):
            line = f"{song}/{slug(cover.performer)}+Album_{version + 1}+{work % 12 + 1:02d}-{song}"
            recordings.append(_with_path(cover, f"{COVERS32K}/{line}.mp3"))
            lists[version] += f"{line}\n"
    return recordings, {f"{COVERS32K}/list{i}.list": text for i, text in enumerate(lists, start=1)}


def draw_covers(seed: tuple[int, ...], title: str, versions: int, split: str) -> list[Recording]:
    """A new work in so many renditions, each in a style, key, tempo and by a performer of its own."""
    rng = np.random.default_rng(seed)
    work = _compose(rng, title)
    tempo = rng.uniform(*QUARTERS_PER_MINUTE) / METRES[work.metre].beat_quarters
    suited = [name for name, style in styles().items() if work.metre in style.metres]
    names, tonics = rng.permutation(suited)[:versions].tolist(), rng.permutation(12)[:versions].tolist()
    forms = rng.permutation(FORMS)[:versions].tolist()
    artists = rng.permutation(performers(seed[0]))[:versions].tolist()
    covers = []
    for version, (name, tonic, form) in enumerate(zip(names, tonics, forms, strict=True)):
        drawn, seconds = (*seed, version), float(rng.uniform(*SECONDS))
        rendition = draw_rendition(rng, name, styles()[name], seconds, Counter(), drawn)
        beats_per_minute = float(tempo * rng.uniform(*TEMPO_RATIO))
        rendition = replace(rendition, tonic=tonic, form=form, beats_per_minute=beats_per_minute)
        clips = (Clip("", 0, seconds),)
        covers.append(Recording(work, rendition, artists[version], split, SAMPLE_RATE, clips))
    return covers


def _compose(rng: np.random.Generator, title: str) -> Work:
    metre = str(rng.choice(list(METRES), p=METRE_CHANCES))
    home = str(rng.choice([name for name, style in styles().items() if metre in style.metres]))
    return compose(rng, title, home, styles()[home], str(rng.choice(MODES)), metre)


def _with_path(recording: Recording, path: str) -> Recording:
    return replace(recording, clips=(replace(recording.clips[0], path=path),))
