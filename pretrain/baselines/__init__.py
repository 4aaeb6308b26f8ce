"""Objectives of the paper's self-supervised baselines; PEMR's expert, data set and runner serve them all."""
