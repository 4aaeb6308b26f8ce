"""Reads a user's labels.tsv: path, labels, and perhaps a split."""

from pathlib import Path, PurePosixPath

from s3prl_pemr.report.printable import printable
from s3prl_pemr.store.index import StoreError

from .separator import separator_hint


def read_labels(path: Path) -> dict[str, tuple[tuple[str, ...], str | None]]:
    """Labels by track: lines `path<TAB>label|label...`, with a third column for the split where wanted.

    Paths are relative to SRC, with `/`. A first line that begins with `path<TAB>` is a header; where it says
    `path<TAB>work<TAB>version`, as lists of cover songs do, the second column is one label and the third no
    split. Empty lines are skipped.

    Returns: path -> (labels, split or None).

    Raises:
        StoreError: the file cannot be read, a line has other columns, or a path comes twice.
    """
    try:
        lines = path.read_bytes().decode("utf-8-sig", "surrogateescape").split("\n")
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    found, names_splits = {}, True
    for number, line in enumerate(lines, start=1):
        cells = line.rstrip("\r").split("\t")
        if number == 1 and cells[0] == "path":
            names_splits = cells[2:] != ["version"]
            continue
        if cells == [""]:
            continue
        if len(cells) not in (2, 3):
            raise StoreError(
                f"{path}: line {number} has {len(cells)} columns; it should be path<TAB>label|label "
                f"and perhaps <TAB>split{separator_hint(line)}"
            )
        track = str(PurePosixPath(cells[0]))
        if track in found:
            raise StoreError(f"{path}: line {number} lists {printable(track)} for the second time")
        several = cells[1].split("|") if names_splits else cells[1:2]
        labels = tuple(label.strip() for label in several if label.strip())
        found[track] = labels, (cells[2] if names_splits and len(cells) == 3 else None)
    return found
