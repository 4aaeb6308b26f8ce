"""Pairs of random crops of a store's tracks, keyed draws, log-mel statistics."""
