"""mteb's tasks by name, and a user's own by file; of sound alone."""

from __future__ import annotations

import difflib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mteb.abstasks.abstask import AbsTask
    from mteb.abstasks.task_metadata import TaskMetadata


def need_mteb():
    """The package. Raises ValueError (one line) where it is not installed."""
    try:
        import mteb
    except ImportError as error:
        raise ValueError(f"boards need mteb: pip install 's3prl-pemr[mteb]' ({error})") from error
    return mteb


def find_task(name: str) -> AbsTask:
    """A task of mteb by its name, or of a file: FILE.py:CLASS, a subclass of one of mteb's AbsTask.

    Raises:
        ValueError: one line: no such task, or one that is not of sound alone.
    """
    mteb = need_mteb()
    path, _, kind = name.rpartition(":")
    if path:
        task = _of_file(Path(path), kind)
    else:
        try:
            task = mteb.get_task(name)
        except KeyError as error:
            known = [task.metadata.name for task in mteb.get_tasks(modalities=["audio"])]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"{name}: mteb {mteb.__version__} has no such task{hint}") from error
    refuse_other_than_sound(task.metadata)
    return task


def refuse_other_than_sound(metadata: TaskMetadata) -> None:
    """Raises ValueError (one line) for a task with text, images or video."""
    if list(metadata.modalities) != ["audio"]:
        raise ValueError(
            f"{metadata.name}: is of {', '.join(metadata.modalities)}; our models hear sound alone"
        )


def _of_file(path: Path, kind: str) -> AbsTask:
    if not path.is_file():
        raise ValueError(f"{path}: no such file; a task of one's own is FILE.py:CLASS")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, kind):
        raise ValueError(f"{path}: has no class {kind}")
    return getattr(module, kind)()
