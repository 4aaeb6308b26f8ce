"""What the paper's self-supervised baselines pretrain: FCN-4 on log-mel, SampleCNN on waveforms."""
