"""A model of covers that searches by itself: what its vectors find is put in order by alignment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from s3prl_pemr.covers.model import DEFAULT
from s3prl_pemr.covers.track import Known, heard
from s3prl_pemr.report.progress import Progress

from .collection import Collection
from .encoder import CoverEncoder
from .sound import samples_of
from .tasks import refuse_other_than_sound


class AlignedCovers(CoverEncoder):
    """The same, for mteb's retrieval tasks; others compare its vectors.

    Source: mteb 2.26.24, mteb/models/models_protocols.py: SearchProtocol.

    Args:
        where, device, upstream_ckpt: of CoverEncoder.
        aligned: how many of a query's nearest are aligned with it, itself among them where it is there.
    """

    def __init__(
        self, where: str = DEFAULT, aligned: int = 20, device: str | None = None,
        upstream_ckpt: str | None = None,
    ):  # fmt: skip
        if aligned < 1:
            raise ValueError("--aligned is a number of candidates, at least 1")
        super().__init__(where, device, upstream_ckpt)
        self.aligned = aligned
        options = {"experiment_kwargs": {"aligned": aligned}}
        self.mteb_model_meta = self.mteb_model_meta.model_copy(update=options)

    def index(self, corpus: Any, *, task_metadata, **_: Any) -> None:
        """Hear the collection. Raises ValueError (one line) for a task of anything but sound."""
        refuse_other_than_sound(task_metadata)
        self._documents = list(corpus["id"])
        self._collection = Collection(self._known(corpus, f"{task_metadata.name}, collection"), self.aligned)

    def search(
        self, queries: Any, *, task_metadata, top_k: int, top_ranked: dict | None = None, **_: Any
    ) -> dict[str, dict[str, float]]:
        """Similarities of each query's best, by their ids; of `top_ranked`'s alone where that is given."""
        found = {}
        for query, known in zip(
            queries["id"], self._known(queries, f"{task_metadata.name}, queries"), strict=True
        ):
            similarities = self._collection.similarities(known)
            best = np.argsort(-similarities, kind="stable")
            scored = {self._documents[place]: float(similarities[place]) for place in best}
            if top_ranked is not None:
                scored = {document: scored[document] for document in top_ranked[query]}
            found[query] = dict(list(scored.items())[:top_k])
        return found

    def _known(self, items: Iterable[dict], what: str) -> list[Known | None]:
        sounds = (heard(samples_of(item["audio"])) for item in Progress(items, what, unit="item"))
        return [None if sound.silent else self.model.know(sound, "an item of the task") for sound in sounds]
