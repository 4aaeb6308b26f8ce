"""Tracks ranked by the cosine of their embeddings, and what a ranking scored."""
