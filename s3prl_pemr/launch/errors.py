"""How a command ends that cannot go on: one line where the user can mend it, a traceback where we have to."""

from __future__ import annotations

import errno
import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.safety.children import no_child_outlives_an_error
from s3prl_pemr.toolkit.registration import KINDS, PLUGIN_ROOT

logger = logging.getLogger(__name__)

INTERRUPTED = 130
KEPT = "what was saved before is kept: the same command again goes on (pretrain and downstream: with -a)"
_OUR_FOLDERS = [Path(__file__).resolve().parent.parent, *(PLUGIN_ROOT / kind for kind in KINDS)]
# What the machine refuses, wherever it is met; and what helps.
_REFUSED = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), f"make room; {KEPT}"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "choose a place that may be written and read"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "raise the limit of open files (ulimit -n)"),
    errno.EIO: f"the disk may be failing; {KEPT}",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EISDIR: "a file is wanted",
    errno.ENOTDIR: "a folder is wanted",
    errno.ENOMEM: "lower the batch size or the number of workers",
}
_GPU_FULL = (
    "the GPU's memory is full: pretrain with a smaller config.pretrain_expert.datarc.train_batch_size (the "
    "losses are over the batch: another experiment) or config.runner.precision=bf16 (half the memory); "
    "downstream with a smaller datarc.train_batch_size and config.runner.gradient_accumulate_steps (-f), or "
    "with the feature cache (a frozen upstream hears one clip at a time)"
)
_DEAD_WORKER = re.compile(r"DataLoader worker \(pid.*?\) (is killed by signal: \w+|exited unexpectedly)")


def line_of(error: BaseException) -> str | None:
    """What to tell the user in one line; None where only a traceback tells enough.

    That is: what our own code refuses, what the machine refuses (a GPU's memory too), and a worker that was
    killed.
    """
    if isinstance(error, OSError) and error.errno in _REFUSED:
        where = printable(str(error.filename)) if error.filename else "writing or reading a file"
        return f"{where}: {error.strerror}; {_REFUSED[error.errno]}"
    if isinstance(error, torch.OutOfMemoryError):
        return f"{_GPU_FULL}; {KEPT}"
    dead = _DEAD_WORKER.search(str(error)) if isinstance(error, RuntimeError) else None
    if dead:
        return (
            f"a worker process that reads data {dead[1]}: was the memory full? {KEPT}, perhaps with fewer "
            "num_workers"
        )
    if not isinstance(error, (ValueError, FileNotFoundError)):
        return None
    raised_in = Path(traceback.extract_tb(error.__traceback__)[-1].filename).resolve()
    if not any(raised_in.is_relative_to(folder) for folder in _OUR_FOLDERS):
        return None
    logger.debug("raised in %s", raised_in, exc_info=error)
    return str(error)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """What `line_of` has a line for ends the program with it, Ctrl-C with another; no worker is left behind.

    Raises: SystemExit.
    """
    try:
        with no_child_outlives_an_error():
            yield
    except KeyboardInterrupt:
        print(f"interrupted; {KEPT}", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    except Exception as error:
        line = line_of(error)
        if line is None:
            raise
        raise SystemExit(visible(f"error: {line}")) from None
