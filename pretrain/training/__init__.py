"""What trains every method: runner, expert, checkpoints, logs, the global batch."""
