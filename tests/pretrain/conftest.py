"""Fixtures of every test below."""

from pretraining_fixtures import config, model_settings, store  # noqa: F401
