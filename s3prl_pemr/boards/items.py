"""What each item of a board scored, so that scores have intervals and two models can be paired. n: items.

mteb tells means alone; its predictions are what this starts from. A board's score that these do not add up to
has no items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from s3prl.downstream.cover_song.ranking.query_scores import ndcg
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import KFold

from .sound import digests

if TYPE_CHECKING:
    from mteb.abstasks.classification import AbsTaskClassification
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.retrieval_dataset_loaders import RetrievalSplitData

Scores = Mapping[str, float]


@dataclass(frozen=True)
class Items:
    """Items of a task's split.

    Attributes:
        names: (n,).
        groups: which of them belong together, int, (n,).
        values: their mean is the board's score, (n,).
        over: what a group is, for people: works, queries or clips.
    """

    names: list[str]
    groups: np.ndarray
    values: np.ndarray
    over: str


def items_of(task: Any, subset: str, split: str, predictions: Any, score: float) -> Items | None:
    """Of what mteb's `prediction_folder` has; None where the task or its main score is of another kind.

    Args:
        task: with its data loaded.
        predictions: of the subset's split.
        score: the board's, which the items' mean has to be.
    """
    from mteb.abstasks.classification import AbsTaskClassification
    from mteb.abstasks.retrieval import AbsTaskRetrieval

    main, found = task.metadata.main_score, None
    if isinstance(task, AbsTaskRetrieval) and main == "ndcg_at_10":
        found = retrieval_items(task, task.dataset[subset][split], predictions)
    elif isinstance(task, AbsTaskClassification) and main == "accuracy" and subset == "default":
        found = classification_items(task, split, predictions)
    return found if found is not None and abs(found.values.mean() - score) < 1e-4 else None


def retrieval_items(task: AbsTaskRetrieval, data: RetrievalSplitData, results: Mapping[str, Scores]) -> Items:
    """The nDCG at 10 of each query that has something relevant, of gains 0 and 1.

    Versions of a work are told by what is relevant to them, and by the recordings that are query and
    document: by nothing that depends on the model, so that models can be paired.
    """
    judged = data["relevant_docs"]
    names = [query for query in results if any(judged.get(query, {}).values())]
    values = []
    for query in names:
        ranking = trec_order(results[query])
        if task.ignore_identical_ids:
            ranking = [document for document in ranking if document != query]
        if task.skip_first_result and results[query]:
            ranking.remove(max(results[query], key=results[query].get))
        relevant = {document for document, gain in judged[query].items() if gain > 0}
        places = [rank for rank, document in enumerate(ranking, start=1) if document in relevant]
        values.append(ndcg(places, len(relevant)))
    documents = {digest: document for document, digest in digests(data["corpus"]).items()}
    sounds = digests(data["queries"])
    itself = {query: documents[sounds[query]] for query in names if sounds[query] in documents}
    groups = _works(names, judged, itself)
    return Items(names, groups, np.array(values), "works" if len(itself) == len(names) else "queries")


def trec_order(scores: Scores) -> list[str]:
    """Documents, best first: trec_eval keeps float32 and puts the greater id first where they are equal."""
    return sorted(scores, key=lambda document: (np.float32(scores[document]), document), reverse=True)


def classification_items(task: AbsTaskClassification, split: str, predictions: Sequence) -> Items:
    """How often each clip was classified rightly, over the experiments or in its fold of a cross-validation.

    In folds of unlike sizes a clip counts as much as its fold's accuracy makes it.
    """
    labels = np.asarray(task.dataset[split][task.label_column_name])
    values = np.zeros(len(labels))
    folds = [np.arange(len(labels))] * len(predictions)
    if task.is_cross_validation:  # as AbsTaskClassification._evaluate_subset_cross_validation draws them
        drawn = KFold(n_splits=task.n_splits, shuffle=True, random_state=task.seed)
        folds = [fold for _, fold in drawn.split(np.arange(len(labels)))]
    for fold, predicted in zip(folds, predictions, strict=True):
        right = np.asarray(predicted) == labels[fold]
        values[fold] += right * len(labels) / (len(predictions) * len(fold))
    names = [str(number) for number in range(len(labels))]
    return Items(names, np.arange(len(labels)), values, "clips")


def _works(
    names: Sequence[str], judged: Mapping[str, Mapping[str, int]], itself: Mapping[str, str]
) -> np.ndarray:
    """Queries that lead to one another by what is relevant to them, and by which document is the query."""
    documents: dict[str, int] = {}
    pairs = []
    for number, query in enumerate(names):
        for document in [*(other for other, gain in judged[query].items() if gain > 0), itself.get(query)]:
            if document is not None:
                pairs.append((number, len(names) + documents.setdefault(document, len(documents))))
    size = len(names) + len(documents)
    rows, columns = zip(*pairs, strict=True)
    graph = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(size, size))
    return np.unique(connected_components(graph, directed=False)[1][: len(names)], return_inverse=True)[1]
