"""What a board's score is the mean of."""

import numpy as np
import pytest

pytest.importorskip("mteb")

from datasets import Audio, Dataset
from mteb._evaluators.retrieval_metrics import calculate_retrieval_scores
from tiny_tasks import TinyCovers, TinyTimbres

from s3prl_pemr.boards.items import classification_items, items_of, retrieval_items, trec_order
from s3prl_pemr.boards.sound import digests


def case(seed, works=6):
    """Data and random scores of queries that are in the corpus under another id; some are equal."""
    rng = np.random.default_rng(seed)
    names = [f"{work}{version}" for work in range(works) for version in "abc"[: 2 + work % 2]]
    sounds = [{"array": rng.random(9).astype(np.float32), "sampling_rate": 16_000} for _ in names]
    data = {
        "queries": Dataset.from_dict({"id": [f"q{name}" for name in names], "audio": sounds}),
        "corpus": Dataset.from_dict({"id": [f"d{name}" for name in names], "audio": sounds}),
        "relevant_docs": {f"q{n}": {f"d{m}": 1 for m in names if m != n and m[0] == n[0]} for n in names},
    }
    results = {
        f"q{n}": {f"d{m}": 2.0 if m == n else round(float(rng.random()), 1) for m in names} for n in names
    }
    return data, results


@pytest.mark.parametrize("self_first", [True, False])
def test_each_query_scores_what_trec_eval_gives_it(self_first):
    data, results = case(0)
    if not self_first:
        for query, scores in results.items():
            scores["d" + query[1:]] = 0.55
    found = retrieval_items(TinyCovers(), data, results)
    scored = calculate_retrieval_scores(results, data["relevant_docs"], [10], skip_first_result=True)
    expected = [scored.all_scores[query]["ndcg_cut_10"] for query in found.names]
    np.testing.assert_allclose(found.values, expected, atol=1e-9)
    # the query's own recording leads from one version to the other, whatever the model makes of it
    assert found.over == "works"
    assert found.groups.tolist() == [int(name[1]) for name in found.names]


def test_queries_that_are_not_in_the_corpus_have_no_works():
    data, results = case(1)
    rows = [{"array": [float(n)], "sampling_rate": 16_000} for n in range(len(data["queries"]))]
    data["queries"] = Dataset.from_dict({"id": data["queries"]["id"], "audio": rows})
    found = retrieval_items(TinyCovers(), data, results)
    assert found.over == "queries"
    assert len(set(found.groups.tolist())) == 2 * 3 + 3  # of three versions each two share what is relevant


def test_identical_ids_are_left_out():
    data, results = case(2)
    judged = data["relevant_docs"]
    for query in judged:
        results[query][query] = 9.0
    task = TinyCovers()
    task.skip_first_result, task.ignore_identical_ids = False, True
    found = retrieval_items(task, data, results)
    without = {query: {d: s for d, s in scores.items() if d != query} for query, scores in results.items()}
    theirs = calculate_retrieval_scores(without, judged, [10]).all_scores
    np.testing.assert_allclose(found.values, [theirs[q]["ndcg_cut_10"] for q in found.names], atol=1e-9)


def test_files_are_told_apart_without_decoding(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    rows = [{"bytes": b"one", "path": None}, {"bytes": b"other", "path": None}]
    rows.append({"bytes": None, "path": str(tmp_path / "a")})
    files = Dataset.from_dict({"id": list("abc"), "audio": rows}).cast_column("audio", Audio())
    found = digests(files)
    assert found["a"] == found["c"] != found["b"]


def test_equal_scores_go_by_the_greater_id_in_single_precision():
    assert trec_order({"a": 0.5 + 1e-10, "b": 0.5, "c": 0.6}) == ["c", "b", "a"]


def test_clips_of_uneven_folds_add_up_to_the_boards_mean():
    task = TinyTimbres()
    task.n_splits = 4  # of 18 clips: 5, 5, 4, 4
    task.load_data()
    labels = np.array(task.dataset["train"]["label"])
    from sklearn.model_selection import KFold

    rng, predictions, accuracies = np.random.default_rng(0), [], []
    for _, fold in KFold(4, shuffle=True, random_state=task.seed).split(range(18)):
        predictions.append(rng.integers(2, size=len(fold)).tolist())
        accuracies.append(np.mean(predictions[-1] == labels[fold]))
    found = classification_items(task, "train", predictions)
    assert found.values.mean() == pytest.approx(np.mean(accuracies), abs=1e-12)
    assert items_of(task, "default", "train", predictions, np.mean(accuracies)) is not None
    assert items_of(task, "default", "train", predictions, np.mean(accuracies) + 0.01) is None


def test_clips_of_several_experiments_count_how_often_they_are_right():
    task = TinyTimbres()
    task.is_cross_validation = False
    task.load_data()
    labels = task.dataset["train"]["label"]
    found = classification_items(task, "train", [list(labels), [1] * len(labels)])
    np.testing.assert_array_equal(found.values, [0.5, 1.0] * 9)
