"""The kNN probe on representations whose neighbours are known."""

import pytest
import torch
from s3prl.pretrain.training.probe import KnnProbe


class ByLevel(torch.nn.Module):
    """A stand-in whose clip vector is the one-hot index of the track, or of its folder."""

    def __init__(self, vectors):
        super().__init__()
        self.vectors, self.calls = vectors, 0
        self.weight = torch.nn.Parameter(torch.zeros(1))  # tells the device

    def forward(self, wavs, lengths):
        self.calls += 1
        assert not self.training
        return self.vectors[self.calls - 1].expand(1, 2, -1)


def test_neighbours_of_the_same_label_score_one(store):
    probe = KnnProbe(store, neighbours=3)
    folders = torch.tensor([track.startswith("style1") for track in probe.store.tracks]).long()
    model = ByLevel(torch.nn.functional.one_hot(folders).float()).train()
    assert probe(model) == {"knn_roc_auc": 1.0, "knn_accuracy": 1.0}
    assert model.training  # as it was


def test_neighbours_of_the_other_label_score_zero(store):
    probe = KnnProbe(store, neighbours=1)
    # pairs (one track of each folder) share a direction: the nearest neighbour is always of the other label
    rank = {0: 0, 1: 0}
    directions = []
    for track in probe.store.tracks:
        folder = int(track.startswith("style1"))
        directions.append(rank[folder])
        rank[folder] += 1
    vectors = torch.nn.functional.one_hot(torch.tensor(directions)).float()
    assert probe(ByLevel(vectors)) == {"knn_roc_auc": 0.0, "knn_accuracy": 0.0}


def test_too_few_labelled_tracks_are_refused(store):
    with pytest.raises(ValueError, match="14 labelled tracks, needs more than 20"):
        KnnProbe(store, neighbours=20)
