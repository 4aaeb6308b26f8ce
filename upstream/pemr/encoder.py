"""PEMR's encoder (paper 3.5); every method shares it, so it lies in upstream/fcn4."""

from s3prl.upstream.fcn4.encoder import FCN4

__all__ = ["FCN4"]
