"""What our own code refuses ends a command line in one line; every other error keeps its traceback."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from s3prl_pemr.report.printable import visible
from s3prl_pemr.toolkit.registration import KINDS, PLUGIN_ROOT

logger = logging.getLogger(__name__)

_OUR_FOLDERS = [Path(__file__).resolve().parent.parent, *(PLUGIN_ROOT / kind for kind in KINDS)]


@contextmanager
def one_line_errors() -> Iterator[None]:
    """A ValueError or FileNotFoundError that is raised in our own files is a message to the user."""
    try:
        yield
    except (ValueError, FileNotFoundError) as error:
        raised_in = Path(traceback.extract_tb(error.__traceback__)[-1].filename).resolve()
        if not any(raised_in.is_relative_to(folder) for folder in _OUR_FOLDERS):
            raise
        logger.debug("raised in %s", raised_in, exc_info=error)
        raise SystemExit(visible(f"error: {error}")) from None
