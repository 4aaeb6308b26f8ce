"""What the toolkit does with a tagging expert, without its loop."""

from collections import defaultdict

import torch


class Log:
    """A SummaryWriter that remembers."""

    def __init__(self):
        self.scalars = {}

    def add_scalar(self, tag, value, global_step):
        self.scalars[tag] = value


def told(targets):
    """Features (5, 4) per clip that say which of TAGS it has; the last column is 1."""
    return [torch.cat([row, torch.ones(1)]).expand(5, 4) for row in targets]


def evaluate(expert, split, step=0, weight=None):
    """What the toolkit does: a batch after the other, a defaultdict for the records."""
    expert.eval()
    records, log = defaultdict(list), Log()
    if weight is not None:
        with torch.no_grad():
            expert.head.weight.copy_(torch.cat([weight * torch.eye(3), torch.zeros(3, 1)], dim=1))
            expert.head.bias.fill_(-weight / 2)
    with torch.no_grad():
        for _, *others in expert.get_dataloader(split):
            expert(split, told(others[0]), *others, records=records, batch_id=0)
    names = expert.log_records(
        split, records=records, logger=log, global_step=step, batch_ids=[0], total_batch_num=1
    )
    expert.train()
    return names, log.scalars
