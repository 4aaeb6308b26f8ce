"""-m evaluate: scores with intervals, per tag and per class, as tables and pictures."""
