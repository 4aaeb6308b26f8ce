"""A function of a command that takes long, so that a signal meets it and nothing else."""

import functools
import importlib
import time
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 2.0  # of each call: several of them are more than a signal may wait


@dataclass
class Slowed:
    """Installed in a command's process as `faults.Faults` is; from the second call on `within` is there."""

    name: str  # module:attribute.path
    within: Path
    requests: list[str] = field(default_factory=list)

    def install(self) -> None:
        """From here on, in this process and those that it forks."""
        module, _, place = self.name.partition(":")
        owner = importlib.import_module(module)
        *path, attribute = place.split(".")
        for part in path:
            owner = getattr(owner, part)
        plain, calls = getattr(owner, attribute), []

        @functools.wraps(plain)
        def slowed(*args, **settings):
            calls.append(None)
            if len(calls) == 2:
                self.within.touch()
            until = time.monotonic() + SECONDS
            result = plain(*args, **settings)
            while (left := until - time.monotonic()) > 0:
                time.sleep(left)
            return result

        setattr(owner, attribute, slowed)
