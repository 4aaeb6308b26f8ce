"""A cover model that searches by itself, against `covers`' own ranking."""

import numpy as np
import pytest

pytest.importorskip("mteb")

import mteb
from mteb.models.models_protocols import EncoderProtocol, SearchProtocol
from s3prl.downstream.cover_song.ranking.cosine import unit_rows
from s3prl.downstream.cover_song.training_free.chroma import unit_columns
from s3prl.downstream.cover_song.training_free.rerank import by_alignment
from tiny_tasks import TinyCovers, TinyTimbres, TinyWords, covers

from s3prl_pemr.boards.aligned_covers import AlignedCovers
from s3prl_pemr.covers.track import heard


@pytest.fixture(scope="module")
def model():
    return AlignedCovers("ftm2d", aligned=5, device="cpu")


def asked(task, **more):
    data = task.dataset["default"]["test"]
    return data, {"task_metadata": task.metadata, "hf_split": "test", "hf_subset": "default", **more}


def test_it_ranks_as_evaluate_aligned_does(model):
    task = TinyCovers()
    task.load_data()
    data, settings = asked(task, encode_kwargs={}, num_proc=None)
    model.index(data["corpus"], **settings)
    found = model.search(data["queries"], top_k=5, **settings)
    known = [model.model.know(heard(wav), name) for name, wav in covers().items()]
    chromas = [unit_columns(one.chroma.astype(np.float32)) for one in known]
    unit, names = unit_rows(np.stack([one.embedding for one in known])), list(covers())
    order = by_alignment(chromas, 5)
    for query, name in enumerate(names):
        expected = order(query, unit @ unit[query])
        best = np.argsort(-expected)[:5]
        assert found[f"q{name}"] == {f"d{names[row]}": pytest.approx(expected[row], abs=1e-6) for row in best}
        assert list(found[f"q{name}"]) == [f"d{names[row]}" for row in best]
    some = model.search(
        data["queries"], top_k=9, top_ranked={f"q{n}": ["d0_1", "d1_0"] for n in names}, **settings
    )
    assert all(set(scores) == {"d0_1", "d1_0"} for scores in some.values())


def test_mteb_lets_it_search_and_its_vectors_be_classified(model):
    assert isinstance(model, EncoderProtocol) and isinstance(model, SearchProtocol)
    settings = {"cache": None, "co2_tracker": False, "encode_kwargs": {"batch_size": 3}}
    assert mteb.evaluate(model, TinyCovers(), **settings).task_results[0].get_score() == 1.0
    score = mteb.evaluate(model, TinyTimbres(), **settings).task_results[0].get_score()
    assert np.isfinite(score)
    assert model.mteb_model_meta.experiment_kwargs == {"aligned": 5}


def test_a_task_with_text_is_refused(model):
    with pytest.raises(ValueError, match="TinyWords: is of text, audio"):
        model.index([], task_metadata=TinyWords.metadata)
