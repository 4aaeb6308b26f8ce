"""Tables and pictures as files: written whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3prl_pemr.report.printable import printable
from s3prl_pemr.safety.whole_file import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_tsv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table of tab-separated cells; floats with six significant digits. Raises OSError."""
    lines = ["\t".join(map(_cell, row)) + "\n" for row in (columns, *rows)]
    write_whole(path, "".join(lines).encode())


def write_png(path: Path, figure: Figure, dpi: int = 120) -> None:
    """A picture. Raises OSError."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=dpi)
    write_whole(path, picture.getvalue())


def _cell(value: Any) -> str:
    if isinstance(value, float):  # np.float64 is one
        return f"{value:.6g}"
    return printable(value) if isinstance(value, str) else str(value)
