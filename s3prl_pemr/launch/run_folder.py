"""A run's folder: one run at a time writes there."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from s3prl_pemr.loops import torchrun
from s3prl_pemr.report.printable import visible
from s3prl_pemr.report.run_record import RUN_FILE
from s3prl_pemr.safety.sole_writer import LOCK_FILE, sole_writer
from s3prl_pemr.safety.whole_file import remove_leftovers

SETTINGS = ("args_*.yaml", "config_*.yaml")  # what the toolkit writes before it builds anything
SHOWN = (".ckpt", ".json", ".tsv", ".png", ".md")


def tell_what_is_new(folder: Path, since: float) -> None:
    """The last lines of a run: what scores a new best head, and which results are in the folder.

    Args: since: seconds since the epoch; older files are of earlier runs.
    """
    results = (path for path in folder.glob("*") if path.suffix in SHOWN and path.name != RUN_FILE)
    found = [path for path in results if path.stat().st_mtime >= since]
    best = folder / "dev-best.ckpt"
    if best in found:
        print(visible(f"score it: s3prl-pemr downstream -m evaluate -e {shlex.quote(str(best))}"))
    print(visible(f"saved to {folder}: {', '.join(sorted(path.name for path in found)) or 'nothing new'}"))


@contextmanager
def sole_run(folder: Path) -> Iterator[None]:
    """The folder, made if missing, locked, and without what a killed run left half-written.

    Under torchrun the first process locks it. A new folder whose run ended before it began (a mistyped key)
    is removed: it would look like a run.

    Raises:
        Occupied: one line: another run is going on there.
    """
    first = torchrun.global_rank() == 0
    new = first and not folder.exists()
    try:
        with sole_writer(folder, remedy="choose another -n or -p") if first else nullcontext():
            if first:
                remove_leftovers(folder)
            yield
    except BaseException:
        if new:
            _remove_if_nothing_was_done(folder)
        raise


def _remove_if_nothing_was_done(folder: Path) -> None:
    written = {path.name for path in folder.iterdir()}
    begun = {path.name for pattern in SETTINGS for path in folder.glob(pattern)} | {LOCK_FILE, RUN_FILE}
    if written <= begun:
        shutil.rmtree(folder)
