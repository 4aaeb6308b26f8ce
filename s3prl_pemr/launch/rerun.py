"""`s3prl-pemr rerun FOLDER`: prints the commands that repeat a run in a new folder; runs nothing."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from s3prl_pemr.report.printable import visible
from s3prl_pemr.report.run_record import git_state, read_starts, versions

from .commands import parse_single
from .errors import one_line_errors

HELP = "the commands that repeat a run, from its run.json"
EXAMPLE = "s3prl-pemr rerun result/pretrain/NAME"
# What a repeated run takes from the folder, or must not repeat.
_PLACE = (("-n", "--expname"), ("-p", "--expdir"))
_SETTINGS = (("-c", "--config"), ("-g", "--upstream_config"), ("-o", "--override"), ("--preset",))
_FILES = {
    "pretrain": {"-c": "config_runner.yaml", "-g": "config_model.yaml"},
    "downstream": {"-c": "config_last.yaml"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="of a run of pretrain or downstream")
    parser.add_argument("--into", type=Path, metavar="NEW", help="the new run's folder (FOLDER-again)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status; raises SystemExit with one line on what can be mended."""
    args = parse_single("s3prl-pemr rerun", sys.modules[__name__], arguments)
    with one_line_errors():
        return run(args)


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    starts = read_starts(args.folder)
    into = args.into or args.folder.with_name(f"{args.folder.resolve().name}-again")
    for start in distinct(starts):
        print(visible(f"cd {shlex.quote(start['directory'])}"))
        print(visible(shlex.join(repeating(start, args.folder.resolve(), into.resolve(), starts))))
    for remark in differences(starts[-1]):
        print(visible(f"not as it was: {remark}"), file=sys.stderr)
    return 0


def distinct(starts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the starts that only went on: of the command and the settings of an earlier one."""
    found: list[dict[str, Any]] = []
    for start in starts:
        if not any(_same(start, before) for before in found):
            found.append(start)
    return found


def _same(start: dict[str, Any], before: dict[str, Any]) -> bool:
    def kind(each: dict[str, Any]) -> tuple:
        mode = [word for word in each["command"] if word in ("train", "evaluate")]
        scored = each["command"] if "evaluate" in mode else []
        return each["command"][:1], mode, scored, each["settings"]

    return kind(start) == kind(before)


def repeating(start: dict[str, Any], old: Path, new: Path, starts: Sequence[dict[str, Any]]) -> list[str]:
    """The command of a start, for another folder.

    Its settings are read from the old folder's yaml files where no later start changed them; else they are
    as they were typed. What was in the old folder (-e OLD/dev-best.ckpt) is looked for in the new one.
    """
    program, *typed = start["command"]
    there = {flag: old / name for flag, name in _FILES.get(program, {}).items()}
    constant = len({repr(each["settings"]) for each in starts}) == 1 and start["settings"] is not None
    whole = constant and _goes_on(typed) is None and all(path.is_file() for path in there.values())
    kept = _without(typed, [*_PLACE, *(_SETTINGS if whole else ())])
    words = [_moved(word, start, old, new) for word in kept]
    if whole:
        words += [word for flag, path in there.items() for word in (flag, str(path))]
    if "--device" not in typed:
        words += ["--device", start["device"].partition(":")[0]]
    nodes, processes = start["processes"]
    launcher = ["s3prl-pemr"]
    if nodes * processes > 1:
        launcher = ["torchrun", f"--nnodes={nodes}", f"--nproc_per_node={processes}", "-m", "s3prl_pemr"]
    return [*launcher, program, *words, "-p", str(new)]


def _goes_on(typed: Sequence[str]) -> str | None:
    return next((word for word in typed if word in ("-e", "--past_exp")), None)


def _without(typed: Sequence[str], flags: Sequence[tuple[str, ...]]) -> list[str]:
    """Without these flags and their values, in whatever spelling argparse takes them."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for names in flags:
        parser.add_argument(*names)
    return parser.parse_known_args(list(typed))[1]


def _moved(word: str, start: dict[str, Any], old: Path, new: Path) -> str:
    path = Path(os.path.normpath(Path(start["directory"]) / word))
    return str(new / path.relative_to(old)) if path.is_relative_to(old) else word


def differences(start: dict[str, Any]) -> list[str]:
    """What is not as it was at a start: versions, code, the music of a store; a line each."""
    from s3prl_pemr.store import AudioStore, StoreError  # torch and numpy: --help does without
    from s3prl_pemr.toolkit.registration import PLUGIN_ROOT

    now = versions()
    found = [
        f"{name} {then}, now {now.get(name)}"
        for name, then in start["versions"].items()
        if now.get(name) != then
    ]
    code = git_state(PLUGIN_ROOT)
    if start["git"] and start["git"]["changed"]:
        found.append(f"the code had changes over commit {start['git']['commit']}, which are not kept")
    if code != start["git"] and (start["git"] or code):
        found.append(
            f"the code is at {(code or {}).get('commit')}, was at {(start['git'] or {}).get('commit')}"
        )
    for path, fingerprint in start["data"].items():
        try:
            same = AudioStore(Path(start["directory"]) / path).fingerprint == fingerprint
        except StoreError as error:
            found.append(str(error))
        else:
            found += [] if same else [f"{path} holds other music"]
    return found
