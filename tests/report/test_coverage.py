"""How often the intervals hold what they are of: test sets from made-up populations whose truth is known."""

import numpy as np
import pytest
from s3prl.downstream.cover_song.ranking.cosine import scores_from_embeddings
from s3prl.downstream.cover_song.ranking.expectation import intervals
from s3prl.downstream.music_tagging.labels.task import Regression, Tagging
from s3prl.downstream.music_tagging.scoring.weighted_metric import weighted_tag_scores
from scipy.special import ndtri

from s3prl_pemr.report.bootstrap import drawn_counts, interval_95, left_out_counts

CLIPS, TAGS, RESAMPLES = 3, 15, 500
PREVALENCE = np.geomspace(0.05, 0.4, TAGS)
SONG_SHARE = {"mixed": (0.8, 0.5), "songs of one kind": (1.0, 0.8)}  # of the variance: of tags, of scores


def test_set(songs, kind, generator):
    """Targets and scores of `songs` with three clips each, (3 songs, TAGS); ROC-AUC is about 0.90.

    A clip has a tag where a normal variable, song's part and clip's part, is below the prevalence's quantile.
    A score is 1.8 for the tag, plus what the song adds to this and to all scores, plus the clip's noise.
    """
    of_tags, of_scores = SONG_SHARE[kind]
    song, shared = generator.standard_normal((2, songs, 1, TAGS)), generator.standard_normal((songs, 1, 1))
    clip = generator.standard_normal((2, songs, CLIPS, TAGS))
    targets = of_tags**0.5 * song[0] + (1 - of_tags) ** 0.5 * clip[0] < ndtri(PREVALENCE)
    heard = (of_scores / 2) ** 0.5 * (song[1] + shared) + (1 - of_scores) ** 0.5 * clip[1]
    return targets.reshape(-1, TAGS), (1.8 * targets + heard).reshape(-1, TAGS)


test_set.__test__ = False


def population(kind):
    """ROC-AUC and PR-AUC of each tag, (2, TAGS), of 60,000 songs."""
    targets, scores = test_set(60_000, kind, np.random.default_rng(5))
    return np.stack(weighted_tag_scores(targets, scores, np.ones((1, len(targets)), np.int64)))[:, 0]


def recentred(values, score):
    """What it was before: the score with the central 95 % of the resamples' deviations from their mean."""
    return np.clip(score + np.nanpercentile(values, [2.5, 97.5]) - np.nanmean(values), 0, 1)


def tagging_coverage(songs, kind, sets):
    """Share of `sets` test sets whose interval holds the truth: {score: (interval_95's, recentred's)}.

    The truth is the population's mean over the tags that the set can be scored on, as scores.json names
    those that it cannot.
    """
    truth, numbers = population(kind), np.repeat(np.arange(songs), CLIPS)
    left_out, whole = left_out_counts(numbers), np.ones((1, len(numbers)), np.int64)
    hits = {"roc_auc": np.zeros(2), "pr_auc": np.zeros(2)}
    for number in range(sets):
        targets, scores = test_set(songs, kind, np.random.default_rng([number, songs]))
        counts = np.concatenate([whole, left_out, drawn_counts(numbers, RESAMPLES, number)])
        found = Tagging.resampled(targets, scores, counts, names=[])
        scorable = targets.any(axis=0) & ~targets.all(axis=0)
        for name, wanted in zip(found, truth[:, scorable].mean(axis=1), strict=True):
            score, without, values = np.split(found[name], [1, songs + 1])
            both = interval_95(values, without, score[0], songs), recentred(values, score[0])
            hits[name] += [low <= wanted <= high for low, high in both]
    return {name: (hit / sets).tolist() for name, hit in hits.items()}


def collection(works, generator):
    """Scores of a cover song collection: 2 to 9 versions a work, some works harder than others."""
    versions = 1 + generator.geometric(0.4, works).clip(1, 8)
    numbers = np.repeat(np.arange(works), versions)
    spread = 0.7 * np.exp(0.4 * generator.standard_normal(works))[numbers, None]
    centres = generator.standard_normal((works, 12))[numbers]
    return scores_from_embeddings(centres + spread * generator.standard_normal((len(numbers), 12)), numbers)


def cover_coverage(works, sets):
    """As tagging_coverage, of MAP and MR1; the truth is the mean over all collections of this size."""
    found = [collection(works, np.random.default_rng([number, works])) for number in range(sets)]
    hits = {}
    for name, attribute in (("map", "average_precision"), ("mr1", "first_rank")):
        scores = [getattr(scores, attribute).mean() for scores in found]
        ends = np.array([intervals(scores, draws=RESAMPLES)[name] for scores in found])
        wanted = np.mean(scores)
        hits[name] = float(np.mean((ends[:, 0] <= wanted) & (wanted <= ends[:, 1])))
    return hits


@pytest.mark.slow
@pytest.mark.parametrize(
    ("songs", "kind", "sets", "least"),
    [(24, "mixed", 500, 0.91), (24, "songs of one kind", 500, 0.91), (60, "mixed", 400, 0.92)]
    + [(300, "mixed", 300, 0.92)],
)
def test_intervals_over_songs_hold_the_truth(songs, kind, sets, least):
    found = tagging_coverage(songs, kind, sets)
    print(songs, kind, sets, found)
    for ours, _ in found.values():  # 0.95 -+ 0.02 by chance alone, with 400 sets
        assert least <= ours <= 0.975
    if songs == 24:
        ours, before = found["pr_auc"]
        assert ours - before > 0.05


def regression_coverage(songs, clips, r2, sets):
    """Share of test sets whose interval holds R2: two numbers a clip, what is missed mostly a song's."""
    numbers, hits = np.repeat(np.arange(songs), clips), 0
    for number in range(sets):
        generator = np.random.default_rng([number, songs])
        said, of_song = generator.standard_normal((2, songs, 2))[:, numbers]
        missed = 0.7 * of_song + 0.51**0.5 * generator.standard_normal((len(numbers), 2))
        said = r2**0.5 * said
        true = said + (1 - r2) ** 0.5 * missed
        counts = drawn_counts(numbers, RESAMPLES, number), left_out_counts(numbers)
        values, without = (Regression.resampled(true, said, c, ["a", "b"])["r2"] for c in counts)
        score = Regression.metrics(true, said, ["a", "b"])["r2"]
        low, high = interval_95(values, without, score, songs, Regression.bounds)
        hits += low <= r2 <= high
    return hits / sets


@pytest.mark.slow
@pytest.mark.parametrize("r2", [0.1, 0.6])
@pytest.mark.parametrize(("songs", "clips"), [(24, 1), (24, 3), (125, 1)])
def test_intervals_of_r2_hold_the_truth(songs, clips, r2):
    found = regression_coverage(songs, clips, r2, sets=500)
    print(songs, clips, r2, found)
    assert 0.92 <= found <= 0.985


@pytest.mark.slow
@pytest.mark.parametrize(("works", "sets", "least"), [(24, 500, 0.91), (60, 300, 0.92)])
def test_intervals_over_works_hold_the_truth(works, sets, least):
    found = cover_coverage(works, sets)
    print(works, sets, found)
    for share in found.values():
        assert least <= share <= 0.98
