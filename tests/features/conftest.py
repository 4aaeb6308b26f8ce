"""Fixtures of every test below."""

import pytest
import torch

LENGTHS = (40_000, 9_000, 16_384, 70_001)


@pytest.fixture
def wavs():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(n, generator=generator) * 0.1 for n in LENGTHS]
