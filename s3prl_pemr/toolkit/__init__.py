"""Makes s3prl importable on current PyTorch, quick to import, and open to our folders."""
