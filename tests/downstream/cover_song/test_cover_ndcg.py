"""nDCG at 10: by hand, against scikit-learn, and against what mteb's retrieval boards compute."""

from math import log2

import numpy as np
import pytest
from s3prl.downstream.cover_song.metric import (
    ndcg_without_first,
    retrieval_metrics,
    retrieval_metrics_from_embeddings,
)
from s3prl.downstream.cover_song.ranking.cosine import unit_rows
from s3prl.downstream.cover_song.ranking.query_scores import ndcg
from sklearn.metrics import ndcg_score


def random_case(seed, tracks=40, works=9):
    """Embeddings and works of several versions, some of one."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((tracks, 6)), rng.integers(works, size=tracks)


def test_a_ranking_worked_out_by_hand():
    # covers at 2 and 4 of two: (1 / log2 3 + 1 / log2 5) / (1 / log2 2 + 1 / log2 3)
    expected = (1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3))
    assert ndcg([2, 4], 2) == pytest.approx(expected, abs=1e-12)
    assert ndcg([1], 1) == 1.0
    assert ndcg([11], 1) == 0.0
    assert ndcg([10], 1) == pytest.approx(1 / log2(11), abs=1e-12)
    assert ndcg([2], 2) == pytest.approx((1 / log2(3)) / (1 + 1 / log2(3)), abs=1e-12)  # one was not found
    assert ndcg(range(1, 14), 13) == pytest.approx(1.0, abs=1e-12)  # more covers than places


def test_as_scikit_learn():
    embeddings, works = random_case(0)
    similarity = unit_rows(embeddings) @ unit_rows(embeddings).T
    queries = [query for query in range(40) if np.count_nonzero(works == works[query]) > 1]
    expected = [
        ndcg_score([np.delete(works == works[q], q)], [np.delete(similarity[q], q)], k=10) for q in queries
    ]
    assert retrieval_metrics(similarity, works)["ndcg_at_10"] == pytest.approx(np.mean(expected), abs=1e-12)
    fast = retrieval_metrics_from_embeddings(embeddings, works)
    assert fast["ndcg_at_10"] == pytest.approx(np.mean(expected), abs=1e-12)


def test_dropping_the_first_is_leaving_out_the_query_where_that_is_first():
    embeddings, works = random_case(1)
    similarity = unit_rows(embeddings) @ unit_rows(embeddings).T
    expected = retrieval_metrics(similarity, works)["ndcg_at_10"]
    assert ndcg_without_first(similarity, works) == pytest.approx(expected, abs=1e-12)


def test_what_is_first_is_dropped_even_if_it_is_a_cover():
    # query 0: its cover 1, then itself, then 2: the cover is dropped, none is found. query 1: itself, 2, 0
    similarity = np.array([[0.8, 0.9, 0.1], [0.3, 1.0, 0.5], [0.0, 0.0, 1.0]])
    assert ndcg_without_first(similarity, ["a", "a", "b"]) == pytest.approx((0 + 1 / log2(3)) / 2, abs=1e-12)
    assert retrieval_metrics(similarity, ["a", "a", "b"])["ndcg_at_10"] == pytest.approx(
        (1 + 1 / log2(3)) / 2, abs=1e-12
    )


@pytest.mark.parametrize("similarity", [np.zeros((2, 3)), np.full((2, 2), np.nan)])
def test_what_cannot_be_scored_is_refused(similarity):
    with pytest.raises(ValueError, match="not a finite similarity of 2 tracks"):
        ndcg_without_first(similarity, ["a", "a"])
    with pytest.raises(ValueError, match="none of 2 tracks has another version"):
        ndcg_without_first(np.eye(2), ["a", "b"])


@pytest.mark.parametrize("self_first", [True, False])
def test_as_mtebs_own_evaluator(self_first):
    scoring = pytest.importorskip("mteb._evaluators.retrieval_metrics")
    embeddings, works = random_case(2)
    similarity = unit_rows(embeddings) @ unit_rows(embeddings).T
    if not self_first:
        np.fill_diagonal(similarity, 0.3)  # as of a model whose answers to one recording differ
    queries = [query for query in range(40) if np.count_nonzero(works == works[query]) > 1]
    judged = {
        f"q{q}": {f"d{d}": 1 for d in np.flatnonzero(works == works[q]).tolist() if d != q} for q in queries
    }
    results = {f"q{q}": {f"d{d}": float(similarity[q, d]) for d in range(40)} for q in queries}
    found = scoring.calculate_retrieval_scores(results, judged, [10], skip_first_result=True)
    each = np.mean([scores["ndcg_cut_10"] for scores in found.all_scores.values()])
    assert ndcg_without_first(similarity, works) == pytest.approx(each, abs=1e-9)
    assert found.ndcg["NDCG@10"] == pytest.approx(each, abs=1e-5)  # what the board shows is rounded
    own = retrieval_metrics(similarity, works)["ndcg_at_10"]
    assert (own == pytest.approx(each, abs=1e-9)) == self_first
