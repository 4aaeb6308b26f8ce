"""Tasks of mteb in memory: covers of made-up works as Covers80A2ARetrieval has them, and two timbres."""

import numpy as np
from cover_store import polyphony, version
from datasets import Dataset, DatasetDict
from mteb.abstasks.classification import AbsTaskClassification
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata

from s3prl_pemr.audio import SAMPLE_RATE

WORKS, VERSIONS = 4, 2
COMMON = {
    "description": "made up", "dataset": {"path": "none", "revision": "none"}, "modalities": ["audio"],
    "eval_langs": ["zxx-Zxxx"], "domains": ["Music"], "license": None, "date": None, "reference": None,
    "bibtex_citation": None, "annotations_creators": None, "dialect": None, "sample_creation": None,
    "task_subtypes": None,
}  # fmt: skip


def item(wav, rate=SAMPLE_RATE):
    return {"array": wav.astype(np.float32), "sampling_rate": rate}


def covers():
    """A sound a version of each work, under its name."""
    return {
        f"{work}_{number}": polyphony(8, SAMPLE_RATE, work) if number == 0 else version(work, number, 8)
        for work in range(WORKS)
        for number in range(VERSIONS)
    }


class TinyCovers(AbsTaskRetrieval):
    """Every recording is a query, and in the corpus under another id."""

    skip_first_result = True
    metadata = TaskMetadata(
        name="TinyCovers", type="Any2AnyRetrieval", category="a2a", main_score="ndcg_at_10",
        eval_splits=["test"], **COMMON,
    )  # fmt: skip

    def load_data(self, num_proc=None, **_):
        names = list(covers())
        sounds = [item(wav) for wav in covers().values()]
        judged = {
            f"q{one}": {f"d{other}": 1 for other in names if other != one and other[0] == one[0]}
            for one in names
        }
        self.dataset = {
            "default": {
                "test": {
                    "queries": Dataset.from_dict({"id": [f"q{name}" for name in names], "audio": sounds}),
                    "corpus": Dataset.from_dict({"id": [f"d{name}" for name in names], "audio": sounds}),
                    "relevant_docs": judged,
                    "top_ranked": None,
                }
            }
        }
        self.data_loaded = True


class TinyTimbres(AbsTaskClassification):
    """High and low partials; scored by cross-validation, as GTZANGenre is."""

    metadata = TaskMetadata(
        name="TinyTimbres", type="AudioClassification", category="a2c", main_score="accuracy",
        eval_splits=["train"], **COMMON,
    )  # fmt: skip
    input_column_name, label_column_name = "audio", "label"
    is_cross_validation, n_splits = True, 3

    def load_data(self, num_proc=None, **_):
        rows = [(seed, label) for seed in range(9) for label in (0, 1)]
        sounds = [item(polyphony(2, 22_050, seed, partials=1 + 7 * label), 22_050) for seed, label in rows]
        labels = [label for _, label in rows]
        self.dataset = DatasetDict({"train": Dataset.from_dict({"audio": sounds, "label": labels})})
        self.data_loaded = True


class TinyWords(TinyCovers):
    """Not of sound alone."""

    metadata = TaskMetadata(
        name="TinyWords", type="Any2AnyRetrieval", category="t2a", main_score="ndcg_at_10",
        eval_splits=["test"], **{**COMMON, "modalities": ["text", "audio"]},
    )  # fmt: skip
