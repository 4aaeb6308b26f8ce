"""The plain versions of what is made fast: the layers one after the other, Eq. 1 and Eq. 4 written out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from s3prl.upstream.fcn4.encoder import Block
from s3prl.upstream.pemr import transformer
from s3prl.upstream.pemr.transformer import FrameTransformer, attention

from s3prl_pemr.toolkit.patching import replaced


def whole_pass(self: FrameTransformer, frames):
    """`cls_query_and_frame_keys` as hooks take them from `forward`: every layer computes every position."""
    found = {}

    def keep(name):
        return lambda layer, inputs, output: found.update({name: output})

    last = self._last_attention()
    hooks = [getattr(last, name).register_forward_hook(keep(name)) for name in ("query", "key")]
    self(frames)
    for hook in hooks:
        hook.remove()
    query, key = (last.split_heads(found[name]) for name in ("query", "key"))
    return query[:, :, 0], key[:, :, 1:]


@contextmanager
def plain() -> Iterator[None]:
    """Within it everything is computed the plain way."""
    with ExitStack() as stack:
        stack.enter_context(replaced(Block, "_fits_fused", lambda self, x: False))
        stack.enter_context(replaced(transformer, "_attention", attention))
        stack.enter_context(replaced(FrameTransformer, "cls_query_and_frame_keys", whole_pass))
        stack.enter_context(replaced(FrameTransformer, "cls_query", lambda self, x: whole_pass(self, x)[0]))
        yield
