import numpy as np
import pytest
from s3prl.downstream.music_tagging.metric import genre_metrics, tag_scores, tagging_metrics

TARGETS = np.array([[1, 1], [0, 0], [1, 0], [0, 0]])
SCORES = np.array([[0.9, 0.1], [0.8, 0.8], [0.7, 0.3], [0.1, 0.2]])


def test_worked_out_by_hand():
    # tag 0, best first: + - + -. Pairs (+, -): 0.9 beats both, 0.7 beats one of two -> 3 / 4.
    #   precision at its positives: 1 / 1, 2 / 3 -> mean 5 / 6
    # tag 1, best first: - - - +. Pairs: 0 of 3 -> 0. Precision at its positive: 1 / 4.
    roc_auc, pr_auc = tag_scores(TARGETS, SCORES)
    assert roc_auc == pytest.approx([0.75, 0.0])
    assert pr_auc == pytest.approx([5 / 6, 0.25])
    assert tagging_metrics(TARGETS, SCORES) == {
        "roc_auc": pytest.approx(0.375),
        "pr_auc": pytest.approx(13 / 24),
        "clips": 4,
        "tags": 2,
        "left_out": [],
    }


def test_a_tie_counts_one_half():
    # one threshold for all four clips: every pair is a tie, precision is the share of positives
    metrics = tagging_metrics([[1], [0], [0], [0]], [[0.5]] * 4)
    assert (metrics["roc_auc"], metrics["pr_auc"]) == (0.5, 0.25)


def test_pr_auc_is_not_the_trapezoid():
    # best first: - +. Step sum: recall rises from 0 to 1 at precision 1 / 2 -> 0.5; trapezoid: 0.25
    assert tagging_metrics([[0], [1]], [[0.9], [0.1]])["pr_auc"] == 0.5


def test_perfect_and_reversed():
    assert tagging_metrics(TARGETS, TARGETS)["roc_auc"] == tagging_metrics(TARGETS, TARGETS)["pr_auc"] == 1
    assert tagging_metrics(TARGETS, -TARGETS)["roc_auc"] == 0


def test_tags_without_positives_or_negatives_are_left_out_and_named():
    none, all_ = np.zeros((4, 1), int), np.ones((4, 1), int)
    targets = np.concatenate([none, TARGETS, all_], axis=1)
    scores = np.concatenate([SCORES[:, :1], SCORES, SCORES[:, 1:]], axis=1)
    metrics = tagging_metrics(targets, scores, ["absent", "a", "b", "everywhere"])
    assert metrics["left_out"] == ["absent", "everywhere"]
    assert metrics["tags"] == 2
    assert metrics["roc_auc"] == pytest.approx(0.375)  # the two others' mean, as above
    assert metrics["pr_auc"] == pytest.approx(13 / 24)
    assert tagging_metrics(targets, scores)["left_out"] == ["0", "3"]
    assert np.isnan(tag_scores(targets, scores)[0]).tolist() == [True, False, False, True]


def test_order_of_clips_and_monotonic_maps_change_nothing():
    generator = np.random.default_rng(0)
    targets = generator.integers(2, size=(50, 5))
    scores = generator.standard_normal((50, 5))
    shuffled = generator.permutation(50)
    expected = tagging_metrics(targets, scores)
    assert 0.3 < expected["roc_auc"] < 0.7
    again = tagging_metrics(targets[shuffled], np.exp(scores[shuffled]))
    for key in ("roc_auc", "pr_auc"):
        assert again[key] == pytest.approx(expected[key], abs=1e-12)


def test_accuracy_by_hand():
    # right, wrong, right, and a tie that goes to the lower index, which is wrong: 2 / 4; nobody is class 2
    targets = np.eye(3)[[0, 0, 1, 1]]
    scores = [[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.2, 0.5, 0.3], [0.5, 0.5, 0.0]]
    assert genre_metrics(targets, scores, ["a", "b", "c"]) == {
        "accuracy": 0.5,
        "clips": 4,
        "tags": 2,
        "left_out": ["c"],
    }


@pytest.mark.parametrize(
    ("targets", "scores", "message"),
    [
        ([[0], [0]], [[0.1], [0.2]], "none of 1 tags has clips with and clips without it"),
        ([[1, 0]], [[0.1]], r"must both be \(clips, tags\) .*got \(1, 2\) and \(1, 1\)"),
        (np.zeros((0, 3)), np.zeros((0, 3)), "not empty"),
        ([[1], [2]], [[0.1], [0.2]], "must be 0 or 1"),
        ([[1], [0]], [[0.1], [np.nan]], "the scores of 1 of 2 clips are NaN or infinite"),
    ],
)
def test_what_cannot_be_scored_is_refused(targets, scores, message):
    with pytest.raises(ValueError, match=message):
        tagging_metrics(targets, scores)


def test_accuracy_needs_one_class_a_clip():
    with pytest.raises(ValueError, match="exactly one class a clip"):
        genre_metrics([[1, 1], [0, 1]], [[0.1, 0.2], [0.3, 0.4]])
