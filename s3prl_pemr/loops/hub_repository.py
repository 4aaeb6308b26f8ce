"""--hub huggingface with today's huggingface_hub, and from a folder.

s3prl/run_downstream.py:182-188 logs in with a name and a password, s3prl/downstream/runner.py:125 hands
snapshot_download a revision by its place and `use_auth_token`: huggingface_hub has neither any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType

import huggingface_hub
from huggingface_hub.utils import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from s3prl_pemr.toolkit.patching import replaced

NEEDED = ("expert.py", "requirements.txt")  # s3prl/downstream/runner.py:128-137


class _Login:
    """The token of `hf auth login` or HF_TOKEN, if any, in the place of one for a name and a password."""

    def login(self, **_: str | None) -> str | None:
        return huggingface_hub.get_token()

    @staticmethod
    def save_token(_: str | None) -> None:
        """It is where it was."""


@contextmanager
def hub_of_today(toolkit: ModuleType) -> Iterator[None]:
    """Within it s3prl.run_downstream (`toolkit`) can do what --hub huggingface asks for."""
    snapshot = partial(repository_folder, huggingface_hub.snapshot_download)
    with (
        replaced(toolkit, "HfApi", _Login),
        replaced(toolkit, "HfFolder", _Login),
        replaced(huggingface_hub, "snapshot_download", snapshot),
    ):
        yield


def repository_folder(
    download: Callable[..., str], repository: str, revision: str | None = None, **_: bool
) -> str:
    """Where a repository's files lie: downloaded, or the folder of that name. What it runs is its expert.py.

    Args:
        download: huggingface_hub's snapshot_download.
        repository: of -u.
        revision: of --upstream_revision.
        _: the toolkit's `use_auth_token`; a token is used where there is one.

    Raises:
        ValueError: one line: it cannot be had, or is not of the form that s3prl reads.
    """
    folder = Path(repository).expanduser()
    if not folder.is_dir():
        try:
            folder = Path(download(repository, revision=revision))
        except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ValueError(
                f"--hub huggingface -u {repository}: no folder, nor to be had: {reason}"
            ) from error
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        wrote = "`s3prl-pemr export CKPT FOLDER` writes such a folder"
        raise ValueError(f"--hub huggingface -u {repository}: holds no {' and no '.join(missing)}; {wrote}")
    return str(folder.absolute())
