"""Online probe: how well a clip's nearest neighbours in representation space tell its labels."""

from __future__ import annotations

import logging

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import MultiLabelBinarizer
from torch import nn

from s3prl_pemr.audio import INT16_FULL_SCALE
from s3prl_pemr.store import AudioStore

logger = logging.getLogger(__name__)


class KnnProbe:
    """Leave-one-out k-nearest-neighbour scores on the labelled tracks of a store. Nothing is trained."""

    def __init__(self, store: str, neighbours: int):
        """Raises ValueError (one line) where the store has too few labelled tracks."""
        self.store, self.neighbours = AudioStore(store), neighbours
        self.tracks = [t for t, labels in enumerate(self.store.labels) if any(labels)]
        if len(self.tracks) <= neighbours:
            raise ValueError(
                f"probe_store {store}: {len(self.tracks)} labelled tracks, needs more than {neighbours}; "
                "make one with `s3prl-pemr prepare folder --label-by-folder`"
            )
        labels = [self.store.labels[t] for t in self.tracks]
        self.single_label = all(len(label) == 1 for label in labels)
        self.targets = MultiLabelBinarizer().fit_transform(labels)  # (tracks, labels)

    def __call__(self, model: nn.Module) -> dict[str, float]:
        """Scores in [0, 1]: `knn_roc_auc` (macro), and `knn_accuracy` where every track has one label."""
        vectors = self._clip_vectors(model)
        neighbours = NearestNeighbors(n_neighbors=self.neighbours, metric="cosine").fit(vectors)
        found = neighbours.kneighbors(return_distance=False)  # a track is not its own neighbour
        votes = self.targets[found].mean(axis=1)  # (tracks, labels)
        both = (self.targets.min(axis=0) == 0) & (self.targets.max(axis=0) == 1)
        scores = {}
        if both.any():
            scores["knn_roc_auc"] = float(
                roc_auc_score(self.targets[:, both], votes[:, both], average="macro")
            )
        if self.single_label:
            scores["knn_accuracy"] = float((votes.argmax(axis=1) == self.targets.argmax(axis=1)).mean())
        return scores

    @torch.no_grad()
    def _clip_vectors(self, model: nn.Module) -> np.ndarray:
        device, training = next(model.parameters()).device, model.training
        model.eval()
        vectors = []
        for track in self.tracks:
            wav = torch.from_numpy(self.store.read(track)).to(device).float()[None] / INT16_FULL_SCALE
            vectors.append(model(wav, torch.tensor([wav.shape[1]])).mean(dim=1)[0].float().cpu())
        model.train(training)
        return torch.stack(vectors).numpy()
