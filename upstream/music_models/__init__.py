"""Pretrained models of others that music people compare with, each from a folder on disk."""
