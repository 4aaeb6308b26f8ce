"""PEMR for s3prl: importing this mends the toolkit for current PyTorch and registers what we have."""

from .toolkit import compat
from .toolkit.registration import register

__all__ = ["__version__", "register"]

__version__ = "0.1.0"  # setup.cfg has it too: tests/toolkit/test_registration.py compares them

compat.apply()
register()
