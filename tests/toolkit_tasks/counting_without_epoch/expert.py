"""`counting` with a get_dataloader that does not know the `epoch` keyword, as most of the toolkit's."""

from s3prl.downstream.counting.expert import DownstreamExpert as CountingExpert


class DownstreamExpert(CountingExpert):
    def get_dataloader(self, split: str):
        return super().get_dataloader(split)
