"""python -m s3prl_pemr.first_look.cover_music FOLDER: the demo's renditions that are missing."""

from __future__ import annotations

import sys
from pathlib import Path

from s3prl_pemr.demo.music.recording import record

from .covers import recordings


def main(folder: Path) -> None:
    """Write each into FOLDER/collection or FOLDER/queries. Raises OSError."""
    for name, files in recordings().items():
        for recording in files:
            if not recording.is_there(folder / name):
                record(recording, folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
