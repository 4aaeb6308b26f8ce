"""Between s3prl and any network of ours: its upstream interface, checkpoints, padding."""
