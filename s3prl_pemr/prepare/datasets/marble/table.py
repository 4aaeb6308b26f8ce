"""Tables with a header line, as these data sets come with."""

import csv
from collections.abc import Sequence
from pathlib import Path

from s3prl_pemr.report.printable import printable
from s3prl_pemr.store.index import StoreError


def read_table(path: Path, columns: Sequence[str], delimiter: str) -> list[dict[str, str]]:
    """The rows, each by the names in `columns`, without spaces around cells. Empty lines are skipped.

    Args:
        path: the table; its first line names the columns.
        columns: that it should have; the first of them tells its rows apart.
        delimiter: between cells.

    Raises:
        StoreError: one line: it cannot be read, lacks a column or a cell, or has a row twice.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            header, *lines = csv.reader(file, delimiter=delimiter)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, csv.Error) as error:
        raise StoreError(f"{path}: not a table of {', '.join(columns)}") from error
    header = [name.strip() for name in header]
    missing = [name for name in columns if name not in header]
    if missing:
        raise StoreError(f"{path}: has no column {' and '.join(map(repr, missing))}")
    places = {name: header.index(name) for name in columns}
    rows: dict[str, dict[str, str]] = {}
    for number, line in enumerate(lines, start=2):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) <= max(places.values()):
            raise StoreError(f"{path}: line {number} has {len(line)} columns, its header {len(header)}")
        row = {name: line[place].strip() for name, place in places.items()}
        if row[columns[0]] in rows:
            raise StoreError(f"{path}: line {number} has {printable(row[columns[0]])} for the second time")
        rows[row[columns[0]]] = row
    if not rows:
        raise StoreError(f"{path}: has no row")
    return list(rows.values())
