"""The plan of the whole corpus: counts, splits, tables; nothing is rendered."""

import csv
import io
from collections import Counter, defaultdict

import pytest

from s3prl_pemr.demo.held_out import HELD_OUT_STYLES
from s3prl_pemr.demo.magnatagatune import LEAST_POSITIVES, clip_tags, tag_counts
from s3prl_pemr.demo.music.styles import styles
from s3prl_pemr.demo.plan import plan_corpus
from s3prl_pemr.demo.tags import all_tags
from s3prl_pemr.prepare.datasets.mtat import FOLDER_SPLITS


@pytest.fixture(scope="module")
def plan():
    return plan_corpus(0)


def part(plan, folder):
    return [recording for recording in plan.recordings if recording.clips[0].path.startswith(folder)]


def test_every_tag_is_in_every_split(plan):
    recordings = part(plan, "magnatagatune/")
    tags = clip_tags(recordings)
    for split, clips in (("train", 216), ("valid", 72), ("test", 72)):
        of_split = {path: marks for path, marks in tags.items() if FOLDER_SPLITS[path.split("/")[1]] == split}
        counts = tag_counts(of_split)
        assert len(of_split) == clips and set(counts) == set(all_tags())
        assert min(counts.values()) >= LEAST_POSITIVES and max(counts.values()) < clips
    lengths = [clip.end_seconds - clip.start_seconds for recording in recordings for clip in recording.clips]
    assert min(lengths) == 15 and max(lengths) == 29


def test_no_work_is_in_two_splits(plan):
    splits = defaultdict(set)
    for recording in plan.recordings:
        for clip in recording.clips:
            folder = clip.path.split("/")[1]
            in_split = FOLDER_SPLITS.get(folder, recording.split)
            assert in_split == recording.split
        splits[clip.path.split("/")[0], recording.work.title].add(recording.split)
    assert len(splits) == 120 + 50 + 132 + 20 and {len(found) for found in splits.values()} == {1}
    assert len({title for _, title in splits}) == len(splits)
    tunes = {recording.work.title: recording.work.sections["A"].melody for recording in plan.recordings}
    assert len(set(tunes.values())) == len(tunes)


def test_files_have_names_of_their_own(plan):
    paths = [clip.path for recording in plan.recordings for clip in recording.clips]
    assert len(set(paths)) == len(paths) == 360 + 200 + 528 + 40
    assert not set(paths) & set(plan.tables)


def test_magnatagatune_tables(plan):
    tables = {}
    for name in ("annotations_final", "clip_info_final"):
        text = plan.tables[f"magnatagatune/{name}.csv"]
        assert all(cell.startswith('"') for line in text.splitlines() for cell in line.split("\t"))
        tables[name] = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    annotations, infos = tables.values()
    assert [row["mp3_path"] for row in annotations] == [row["mp3_path"] for row in infos]
    ids = [int(row["clip_id"]) for row in annotations]
    assert ids == sorted(set(ids)) and len(ids) == 360
    info = infos[0]
    stem = "-".join(info[name].lower().replace(" ", "_") for name in ("artist", "album"))
    title = info["title"].lower().replace(" ", "_")
    span = f"{info['segmentStart']}-{info['segmentEnd']}"
    assert info["mp3_path"].split("/")[1] == f"{stem}-{int(info['track_number']):02d}-{title}-{span}.mp3"


def test_gtzan_lists(plan):
    lists = {
        name: plan.tables[f"gtzan/{name}_filtered.txt"].splitlines() for name in ("train", "valid", "test")
    }
    assert {name: len(files) for name, files in lists.items()} == {"train": 120, "valid": 40, "test": 40}
    files = sum(lists.values(), [])
    assert {f"gtzan/genres/{file}" for file in files} == {
        clip.path for recording in part(plan, "gtzan/") for clip in recording.clips
    }
    assert set(Counter(file.split("/")[0] for file in files).values()) == {20}
    assert all(r.rendition.style == r.clips[0].path.split("/")[2] for r in part(plan, "gtzan/"))


def test_cover_lists(plan):
    rows = [line.split("\t") for line in plan.tables["shs100k/list"].splitlines()]
    assert len(rows) == 528 and {len(row) for row in rows} == {6}
    works = {}
    for name, count in (("TRAIN", 76), ("VAL", 16), ("TEST", 40)):
        pairs = [line.split("\t") for line in plan.tables[f"shs100k/SHS100K-{name}"].splitlines()]
        works[name] = {work for work, _ in pairs}
        assert len(works[name]) == count and len(pairs) == 4 * count
    assert len(set.union(*works.values())) == 132
    assert {clip.path for r in part(plan, "shs100k/") for clip in r.clips} == {
        f"shs100k/audio/{work}_{version}.mp3" for work, version, *_ in rows
    }
    folder = "covers80/coversongs/covers32k"
    one, two = (plan.tables[f"{folder}/list{i}.list"].splitlines() for i in (1, 2))
    assert len(one) == len(two) == 20 and not set(one) & set(two)
    assert [line.split("/")[0] for line in one] == [line.split("/")[0] for line in two]
    assert {f"{folder}/{line}.mp3" for line in one + two} == {
        clip.path for r in part(plan, "covers80/") for clip in r.clips
    }


def test_the_seed_decides(plan):
    again, other = plan_corpus(0), plan_corpus(1)
    assert again == plan
    melodies = [{r.work.sections["A"].melody for r in p.recordings} for p in (plan, other)]
    assert not melodies[0] & melodies[1]


def test_the_small_corpus_is_the_tagging_part_of_the_whole(plan):
    small = plan_corpus(0, full=False)
    assert small.recordings == plan.recordings[: len(small.recordings)]
    assert {recording.clips[0].path.split("/")[0] for recording in small.recordings} == {"magnatagatune"}
    assert small.tables == {
        path: text for path, text in plan.tables.items() if path.startswith("magnatagatune/")
    }


def test_held_out_styles_and_sounds_are_in_test_alone(plan):
    apart, whole = plan_corpus(0, full=False, held_out=True), part(plan, "magnatagatune/")
    assert [recording.work for recording in apart.recordings] == [recording.work for recording in whole]
    clips = Counter()
    for recording in apart.recordings:
        held_out = recording.rendition.style in HELD_OUT_STYLES
        assert recording.other_sounds is held_out is (recording.split == "test")
        assert {FOLDER_SPLITS[clip.path.split("/")[1]] for clip in recording.clips} == {recording.split}
        clips[recording.split] += len(recording.clips)
    assert clips == {"train": 144, "valid": 96, "test": 120}
    assert not any(recording.other_sounds for recording in plan.recordings)
    tags = clip_tags(apart.recordings)
    for split in clips:
        counts = tag_counts(
            {path: marks for path, marks in tags.items() if FOLDER_SPLITS[path.split("/")[1]] == split}
        )
        for style in HELD_OUT_STYLES:
            assert bool(counts[style]) is (split == "test")
        lone = [tag for tag in set(all_tags()) - set(styles()) if counts[tag] < LEAST_POSITIVES]
        assert len(lone) == {"train": 0, "valid": 2, "test": 0}[split]
    text = apart.tables["magnatagatune/annotations_final.csv"]
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    for row in rows:
        marked = {tag for tag in all_tags() if row[tag] == "1"}
        assert marked == tags[f"magnatagatune/{row['mp3_path']}"]
    assert len(rows) == 360
