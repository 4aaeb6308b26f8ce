"""A toolkit task of 16 short clips that writes down which of them each batch holds."""

from pathlib import Path

import torch
from torch import nn
from torch.distributed import get_rank, is_initialized
from torch.utils.data import DataLoader, Dataset, DistributedSampler

SAMPLES = 1600


class Clips(Dataset):
    def __len__(self) -> int:
        return 16

    def __getitem__(self, index: int):
        wav = torch.randn(SAMPLES, generator=torch.Generator().manual_seed(index))
        return wav.numpy() * (1 + index % 2), index

    @staticmethod
    def collate(items):
        wavs, indices = zip(*items, strict=True)
        return list(wavs), list(indices)


class DownstreamExpert(nn.Module):
    def __init__(self, upstream_dim: int, downstream_expert: dict, expdir: str, **_):
        super().__init__()
        self.settings = downstream_expert
        self.seen = Path(expdir) / f"seen-{get_rank() if is_initialized() else 0}.txt"
        self.head = nn.Linear(upstream_dim, 2)
        self.register_buffer("best_score", torch.zeros(1))

    def get_dataloader(self, split: str, epoch: int = 0) -> DataLoader:
        shuffle = split == "train" and self.settings.get("shuffle", True)
        sampler = None
        if split == "train" and is_initialized():
            sampler = DistributedSampler(Clips(), shuffle=shuffle)
            sampler.set_epoch(epoch)
        return DataLoader(
            Clips(),
            batch_size=self.settings.get("batch_size", 4),
            shuffle=shuffle and sampler is None,
            sampler=sampler,
            collate_fn=Clips.collate,
        )

    def forward(self, split, features, indices, records, **_):
        with self.seen.open("a") as file:
            print(split, *indices, file=file)
        pooled = torch.stack([frames.mean(dim=0) for frames in features])
        pooled = nn.functional.dropout(pooled, self.settings.get("dropout", 0.0), self.training)
        labels = torch.tensor(indices, device=pooled.device) % 2
        loss = nn.functional.cross_entropy(self.head(pooled), labels)
        records["loss"].append(loss.item())
        return loss

    def log_records(self, split, records, logger, global_step, **_):
        logger.add_scalar(f"counting/{split}-loss", sum(records["loss"]) / len(records["loss"]), global_step)
        logger.add_scalar(f"counting/{split}-constant", 1.0, global_step)
        if split == "dev":
            return ["dev-best.ckpt"]
        return None
