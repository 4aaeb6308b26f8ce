"""Pretraining of PEMR."""
