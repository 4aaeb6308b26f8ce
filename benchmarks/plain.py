"""The plain versions of what is made fast: the layers one after the other, Eq. 1 and Eq. 4 written out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from s3prl.upstream.fcn4.encoder import Block
from s3prl.upstream.pemr import transformer
from s3prl.upstream.pemr.transformer import FrameTransformer, attention

from s3prl_pemr.toolkit.patching import replaced


def whole_cls_query(self: FrameTransformer, frames):
    """`cls_query` of a forward pass in which every layer computes every position."""
    return self.cls_query_and_frame_keys(frames)[0]


@contextmanager
def plain() -> Iterator[None]:
    """Within it everything is computed the plain way."""
    with ExitStack() as stack:
        stack.enter_context(replaced(Block, "_fits_fused", lambda self, x: False))
        stack.enter_context(replaced(transformer, "_attention", attention))
        stack.enter_context(replaced(FrameTransformer, "cls_query", whole_cls_query))
        yield
