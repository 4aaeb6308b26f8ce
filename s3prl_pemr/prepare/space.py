"""Is there room for the store? An estimate from the headers, in which one file cannot veto all."""

import shutil
from pathlib import Path

from s3prl_pemr.audio import SAMPLE_RATE, Header, read_header
from s3prl_pemr.report.printable import printable
from s3prl_pemr.store.index import SAMPLE_BYTES, StoreError

from .summary import name_some
from .workers import Workers

HEADERS_PER_TASK = 64
# Index, report, and an estimate from headers that is not exact.
SPARE_BYTES, SPARE_SHARE = 1 << 20, 0.01


def check_space(destination: Path, paths: list[str], workers: Workers) -> None:
    """Compare what the files need by their headers with what is free.

    A file whose header claims more than its bytes can hold is named and not counted: it is not stored either.

    Raises:
        StoreError: the disk is too small.
    """
    tasks = [paths[i : i + HEADERS_PER_TASK] for i in range(0, len(paths), HEADERS_PER_TASK)]
    headers = [header for task in workers.in_order(read_headers, tasks) for header in task]
    found = list(zip(paths, headers, strict=True))
    damaged = [(path, header) for path, header in found if not header.plausible]
    if damaged:
        named = [f"{path}: {header.seconds / 3600:,.1f} hours" for path, header in damaged]
        print(
            f"WARNING: {len(damaged)} headers claim more than their files can hold; not counted as needing "
            f"disk: {name_some(named)}"
        )
    counted = [(header.seconds, path) for path, header in found if header.plausible]
    seconds = sum(seconds for seconds, _ in counted)
    needed_bytes = seconds * SAMPLE_RATE * SAMPLE_BYTES * (1 + SPARE_SHARE) + SPARE_BYTES
    free_bytes = shutil.disk_usage(destination).free
    if needed_bytes > free_bytes:
        longest_seconds, longest = max(counted)
        raise StoreError(
            f"{destination}: {seconds / 3600:.1f} hours of audio need {needed_bytes / 1e9:.2f} GB and "
            f"{free_bytes / 1e9:.2f} GB are free; make room or choose another DST (the longest by its header "
            f"is {printable(longest)}, {longest_seconds / 3600:.1f} hours)"
        )


def read_headers(paths: list[str]) -> list[Header]:
    """The header of each file."""
    return list(map(read_header, paths))
