"""Where s3prl's own pretraining Runner looks for `-u pemr` (s3prl/pretrain/runner.py:45)."""

from s3prl.pretrain.training.expert import UpstreamPretrainExpert

__all__ = ["UpstreamPretrainExpert"]
