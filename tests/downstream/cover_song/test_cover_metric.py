"""Scores of rankings against numbers worked out by hand and plain loops."""

import numpy as np
import pytest
import torch
from s3prl.downstream.cover_song.metric import retrieval_metrics, retrieval_metrics_from_embeddings
from s3prl.downstream.cover_song.ranking.cosine import unit_rows


def reference(similarity, works, strict):
    """The conventions of utility.py: calc_MAP of CQTNet, as loops over sorted lists in plain Python."""
    precisions, hits_at_10, ranks = [], [], []
    for query, row in enumerate(similarity):
        others = [track for track in range(len(row)) if track != query]
        others.sort(key=lambda track: -row[track])  # noqa: B023 - Python's sort is stable
        hits = [rank for rank, track in enumerate(others, start=1) if works[track] == works[query]]
        if not hits and not strict:
            continue
        precisions.append(sum(n / rank for n, rank in enumerate(hits, start=1)) / len(hits) if hits else 0)
        hits_at_10.append(sum(rank <= 10 for rank in hits) / 10)
        ranks.append(hits[0] if hits else 0)
    return [sum(values) / len(values) for values in (precisions, hits_at_10, ranks)]


def random_case(seed, tracks=60, works=25, levels=None):
    """Embeddings, their cosines and works, some with one version; `levels` makes ties."""
    generator = np.random.default_rng(seed)
    embeddings = generator.standard_normal((tracks, 8))
    if levels:
        embeddings = generator.integers(levels, size=(tracks, 2)) * 2.0 + 1
    unit = unit_rows(embeddings)
    return embeddings, unit @ unit.T, generator.integers(works, size=tracks).tolist()


def test_a_ranking_worked_out_by_hand():
    # works a a a b b; query 0 ranks 3 1 4 2: its covers at 2 and 4 -> AP (1/2 + 2/4) / 2 = 0.5
    # query 1 ranks 0 2 3 4: AP 1. query 2 ranks 3 4 0 1: AP (1/3 + 2/4) / 2 = 5/12
    # query 3 ranks 4 first: AP 1. query 4 ranks 0 1 2 3: AP 1/4
    similarity = np.array(
        [
            [9, 3, 1, 4, 2],
            [4, 9, 3, 2, 1],
            [2, 1, 9, 4, 3],
            [3, 2, 1, 9, 4],
            [4, 3, 2, 1, 9.0],
        ]
    )
    found = retrieval_metrics(similarity, list("aaabb"))
    assert found["map"] == pytest.approx((0.5 + 1 + 5 / 12 + 1 + 0.25) / 5, abs=1e-12)
    assert found["precision_at_10"] == pytest.approx((0.2 + 0.2 + 0.2 + 0.1 + 0.1) / 5, abs=1e-12)
    assert found["mr1"] == pytest.approx((2 + 1 + 3 + 1 + 4) / 5, abs=1e-12)
    assert (found["queries"], found["works"], found["tracks"], found["distractors"]) == (5, 2, 5, 0)
    assert "map_optimistic" not in found  # no two candidates of a query are equal


def test_the_query_is_left_out_by_its_index_not_by_its_value():
    # Two copies of one recording: the other copy is as similar as the query itself, and counts.
    similarity = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1.0]])
    found = retrieval_metrics(similarity, ["a", "a", "b"])
    assert (found["map"], found["mr1"], found["queries"], found["distractors"]) == (1.0, 1.0, 2, 1)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("levels", [None, 3])
def test_both_versions_equal_plain_loops(strict, levels):
    embeddings, similarity, works = random_case(seed=1, levels=levels)
    assert 1 in [works.count(work) for work in works]
    expected = reference(np.round(similarity, 12), works, strict)
    plain = retrieval_metrics(similarity, works, strict=strict)
    fast = retrieval_metrics_from_embeddings(embeddings, works, chunk=7, strict=strict)
    for found in (plain, fast):
        assert [found[name] for name in ("map", "precision_at_10", "mr1")] == pytest.approx(
            expected, abs=1e-9
        )
    assert ("map_optimistic" in plain) == (levels is not None)


@pytest.mark.parametrize("seed", range(5))
def test_exact_duplicates_tie_in_both_versions(seed):
    generator = np.random.default_rng(seed)
    embeddings = generator.standard_normal((12, 5))[generator.integers(12, size=70)]
    embeddings[3] = 0  # a row without a direction: equally far from all
    works = generator.integers(20, size=70).tolist()
    unit = unit_rows(embeddings)
    plain = retrieval_metrics(unit @ unit.T, works)
    fast = retrieval_metrics_from_embeddings(embeddings, works, chunk=16)
    assert plain["map_optimistic"] > plain["map"] > plain["map_pessimistic"]
    assert fast == pytest.approx(plain, abs=1e-9)


def test_a_collapsed_model_by_hand():
    # Four equal embeddings, works a b a b: every query ranks the others by index.
    # covers at ranks 2, 3, 1, 2 -> AP 1/2, 1/3, 1, 1/2; covers first: AP 1; covers last: rank 3, AP 1/3
    found = retrieval_metrics_from_embeddings(np.ones((4, 3)), list("abab"))
    assert found["map"] == pytest.approx((1 / 2 + 1 / 3 + 1 + 1 / 2) / 4, abs=1e-12)
    assert found["map_optimistic"] == pytest.approx(1.0, abs=1e-12)
    assert found["map_pessimistic"] == pytest.approx(1 / 3, abs=1e-12)


def test_lengths_of_embeddings_and_size_of_chunks_do_not_matter():
    embeddings, _, works = random_case(seed=2)
    scaled = embeddings * np.linspace(0.01, 100, len(works))[:, None]
    first = retrieval_metrics_from_embeddings(embeddings, works)
    assert retrieval_metrics_from_embeddings(scaled, works, chunk=1) == pytest.approx(first, abs=1e-12)
    assert retrieval_metrics_from_embeddings(embeddings.astype(np.float32), works)["mr1"] == first["mr1"]


def test_tensors_are_taken_too():
    embeddings, similarity, works = random_case(seed=3)
    expected = retrieval_metrics(similarity, works)
    tensors = torch.tensor(similarity), torch.tensor(works)
    assert retrieval_metrics(*tensors) == pytest.approx(expected, abs=1e-12)
    found = retrieval_metrics_from_embeddings(torch.tensor(embeddings), torch.tensor(works))
    assert found == pytest.approx(expected, abs=1e-9)


def test_perfect_embeddings_on_two_versions_a_work():
    works = np.repeat(np.arange(80), 2)
    found = retrieval_metrics_from_embeddings(np.eye(80)[works], works)
    assert (found["map"], found["mr1"]) == (1.0, 1.0)
    assert found["precision_at_10"] == pytest.approx(0.1)  # one cover each, divided by 10


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: retrieval_metrics(np.eye(3), ["a", "a"]), r"shape \(3, 3\) for 2 works"),
        (lambda: retrieval_metrics(np.full((2, 2), np.nan), ["a", "a"]), "row 0 .* not finite"),
        (lambda: retrieval_metrics(np.eye(3), ["a", "b", "c"]), "none of 3 tracks has another version"),
        (lambda: retrieval_metrics(np.zeros((0, 0)), []), "none of 0 tracks"),
        (lambda: retrieval_metrics_from_embeddings(np.zeros((0, 4)), []), "none of 0 tracks"),
        (lambda: retrieval_metrics_from_embeddings(np.ones((3, 4)), ["a"]), r"shape \(3, 4\) for 1 works"),
        (
            lambda: retrieval_metrics_from_embeddings(np.array([[1.0], [np.nan]]), ["a", "a"]),
            "1 embeddings hold NaN or infinity, the first: row 1",
        ),
    ],
)
def test_what_cannot_be_scored_is_one_line(call, line):
    with pytest.raises(ValueError, match=line) as caught:
        call()
    assert "\n" not in str(caught.value)
