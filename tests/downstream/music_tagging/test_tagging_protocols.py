"""Which clips are trained on and scored: few labels, folds, segments; and the yaml files that say so."""

import logging
from dataclasses import asdict

import numpy as np
import pytest
import yaml
from labelled_store import make_store
from places import ROOT
from s3prl.downstream.music_tagging.config import TaggingConfig
from s3prl.downstream.music_tagging.labels.label_fraction import labelled_rows
from s3prl.downstream.music_tagging.labels.task import TASKS
from s3prl.downstream.music_tagging.scoring.scored_clips import ScoredClips
from s3prl.downstream.music_tagging.segments import Segments, segment_starts
from tagging_store import SPLITS, TAGS, all_combinations, clip

from s3prl_pemr.settings import parse

TASK = ROOT / "downstream" / "music_tagging"


def test_a_sample_of_the_labels():
    one, ten = (labelled_rows(18_706, fraction, seed=3) for fraction in (0.01, 0.1))
    assert (len(one), len(ten)) == (187, 1871)
    assert len(set(ten)) == 1871 and (np.diff(ten) > 0).all()
    assert set(one) < set(ten) <= set(range(18_706))  # a smaller fraction is a part of a larger one
    assert (
        labelled_rows(18_706, 0.1, seed=3).tolist() == ten.tolist() != labelled_rows(18_706, 0.1, 4).tolist()
    )
    assert labelled_rows(5, 1.0, seed=3).tolist() == [0, 1, 2, 3, 4]
    # uniform: 2 of 4 clips, each in half of the samples
    counts = np.bincount(np.concatenate([labelled_rows(4, 0.5, seed) for seed in range(400)]), minlength=4)
    assert (abs(counts - 200) < 50).all()  # 5 standard deviations


def test_training_with_few_labels(store, make_expert, caplog):
    with caplog.at_level(logging.INFO):
        expert = make_expert(store, datarc={"label_fraction": 0.1, "label_seed": 1})
    assert "3 of 32 clips keep their labels (label_fraction 0.1, label_seed 1)" in caplog.text
    used = {name for *_, names in expert.get_dataloader("train", epoch=0) for name in names}
    assert len(used) == 3 == len(expert.get_dataloader("train").dataset)
    # all_combinations: the number of a clip says its tags
    without = [tag for bit, tag in enumerate(TAGS) if not any(int(name[4:6]) >> bit & 1 for name in used)]
    assert expert.training_labels == {
        "trained_on": "SRC",  # the folder's name
        "label_fraction": 0.1,
        "label_seed": 1,
        "training_clips": 3,
        "training_clips_of": 32,
        "tags_without_positives": without,
    }
    assert len(expert.get_dataloader("dev").dataset) == 8
    trained = make_expert(
        store, datarc={"label_fraction": 0.1, "label_seed": 1}, upstream_trainable=True, seed=5
    )
    assert {name for *_, names in trained.get_dataloader("train", epoch=3) for name in names} == used


def test_tags_that_the_sample_lacks_are_named(tmp_path, make_expert, caplog):
    generator = np.random.default_rng(0)
    clips = dict(all_combinations(generator))
    clips |= {f"rare{split}": (("rare",), split, clip((), generator)) for split in SPLITS[1:]}
    folder = make_store(tmp_path, clips)
    found = set()
    for seed in range(6):
        expert = make_expert(folder, datarc={"label_fraction": 0.5, "label_seed": seed})
        missing = expert.training_labels["tags_without_positives"]
        found.add(tuple(missing))
        assert ("no clip has rare; it cannot be learned" in caplog.text) == (missing == ["rare"])
        caplog.clear()
    assert found == {(), ("rare",)}  # one clip of 33, at one half


def test_a_resumed_run_keeps_its_labels_and_an_evaluation_tells_them(store, make_expert):
    few = {"label_fraction": 0.5, "label_seed": 2}
    saved = make_expert(store, datarc=few).state_dict()
    make_expert(store, datarc=few).load_state_dict(saved)
    with pytest.raises(ValueError, match="trained with label_fraction 0.5, this run has 1.0: take"):
        make_expert(store).load_state_dict(saved)
    evaluated = make_expert(store, mode="evaluate", init_ckpt="x")
    evaluated.load_state_dict(saved)
    assert evaluated.training_labels["training_clips"] == 16
    older = make_expert(store).state_dict()
    del older["_extra_state"]["training_labels"]
    make_expert(store, datarc=few).load_state_dict(older)


class Ramp:
    """A stand-in for a store: track t holds the samples t * 1000, t * 1000 + 1, ..."""

    tracks = ["a", "b", "c"]
    length_samples = np.array([500, 100, 2000])

    def read(self, track, start=0, length=None):
        return (1000 * track + np.arange(self.length_samples[track])[start:][:length]).astype(np.int16)


def test_segments_lie_one_behind_the_other():
    # CLMR: 29.124 s of MagnaTagATune in segments of 43,200 samples: 10, and 33,984 samples dropped
    assert segment_starts(465_984, 43_200).tolist() == [43_200 * number for number in range(10)]
    assert segment_starts(86_400, 43_200).tolist() == [0, 43_200]
    assert segment_starts(86_399, 43_200).tolist() == segment_starts(20, 43_200).tolist() == [0]
    targets = np.array([[1, 0], [0, 1]], np.float32)
    segments = Segments(Ramp(), np.array([1, 0]), targets, 1, segment_samples=200)
    items = [segments[index] for index in range(len(segments))]
    stretches = [tuple(np.rint(wav[[0, -1]] * 32768).astype(int)) for wav, _, _ in items]
    assert stretches == [(1000, 1099), (0, 199), (200, 399)]  # b is shorter than one, a has 100 left over
    assert [(name, list(target)) for _, target, name in items] == [
        ("b", [1, 0]),
        ("a", [0, 1]),
        ("a", [0, 1]),
    ]


def test_a_clip_has_the_mean_of_its_segments():
    targets = np.array([[1, 0], [1, 0], [0, 1], [0, 0]])
    scores = np.array([[0.2, 0.5], [0.4, 0.1], [0.6, 0.7], [0.1, 0.3]], np.float32)
    clips = ScoredClips.from_items(["a", "a", "b", "c"], targets, scores)
    assert clips.tracks == ["a", "b", "c"]
    assert clips.targets.tolist() == [[1, 0], [0, 1], [0, 0]]
    np.testing.assert_allclose(clips.scores, [[0.3, 0.3], [0.6, 0.7], [0.1, 0.3]], rtol=1e-6)
    chosen = clips.rows(np.array([2, 0]))
    assert (chosen.tracks, len(chosen), chosen.targets.tolist()) == (["c", "a"], 2, [[0, 0], [1, 0]])


def test_a_segment_that_diverges_spoils_its_clip():
    clips = ScoredClips.from_items(["a", "a"], np.ones((2, 1)), np.array([[0.5], [np.nan]]))
    assert np.isnan(clips.scores).all()


@pytest.mark.parametrize("split", ["dev", "test"])
def test_scoring_by_segments_goes_through_all_of_a_clip(store, make_expert, split):
    expert = make_expert(store, scoring="segments", datarc={"crop_samples": 6_000, "eval_batch_size": 3})
    batches = list(expert.get_dataloader(split))
    assert {len(wavs) for wavs, *_ in batches} == {3, 1}  # 8 clips of 16,000 samples: 2 segments each
    assert {len(wav) for wavs, *_ in batches for wav in wavs} == {6_000}
    names = [name for *_, names in batches for name in names]
    assert names == sorted([*{*names}, *{*names}]) and len(names) == 16
    assert {len(wav) for wavs, *_ in expert.get_dataloader("train", epoch=0) for wav in wavs} == {16_000}


def test_segments_that_are_too_short_for_the_upstream_are_told(store, make_expert, caplog):
    make_expert(store, upstream_rate=16_384, scoring="segments")
    assert not caplog.text
    make_expert(store, upstream_rate=16_384, scoring="segments", datarc={"crop_samples": 8_000})
    assert "crop_samples 8000: every segment ends in silence, up to the 8193 samples" in caplog.text


def test_the_yaml_files_are_settings_of_the_task():
    for path in sorted(TASK.rglob("config*.yaml")):
        config = yaml.safe_load(path.read_text())
        settings = parse(TaggingConfig, config["downstream_expert"], path.name)
        assert config["runner"]["eval_dataloaders"] == ["dev"]
        if path.parent.name == "marble":
            chosen_by = f"music_tagging/dev-{TASKS[settings.task].selects_by}"
            assert (config["scheduler"]["metric"], config["scheduler"]["mode"]) == (chosen_by, "max")
        elif "scheduler" in config or path.name != "config_demo.yaml":  # too short a run to slow down
            assert config["scheduler"]["metric"] == "music_tagging/dev-loss"
        if path.name == "config.yaml":  # the others leave out what is as in it
            expected = asdict(TaggingConfig())
            expected["modelrc"]["standardise"] = True  # a config that says nothing of it is of an older run
            assert config["downstream_expert"] == expected == asdict(settings)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"datarc": {"label_fraction": 0}}, "label_fraction 0 is not above 0 and at most 1"),
        ({"datarc": {"label_fraction": 1.5}}, "label_fraction 1.5 is not above 0 and at most 1"),
        ({"datarc": {"label_fraction": float("nan")}}, "label_fraction nan is not above 0"),
        ({"datarc": {"label_fraction": 0.01}}, "label_fraction 0.01 of 32 training clips leaves none"),
        ({"datarc": {"label_seed": -1}}, "label_seed must be at least 0"),
        ({"scoring": "crops"}, "scoring 'crops' is not one of clip, segments"),
        ({"bootstrap": {"resamples": 10}}, "bootstrap: resamples must be at least 100"),
    ],
)
def test_mistakes_are_said_in_one_line(store, make_expert, arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        make_expert(store, **arguments)
    assert "\n" not in str(caught.value)
