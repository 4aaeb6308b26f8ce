"""run_downstream.py: s3prl's own command line with this plugin registered and its loop mended."""

from __future__ import annotations

import builtins
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace

from s3prl import hub
from s3prl import run_downstream as toolkit

from s3prl_pemr.loops import torchrun
from s3prl_pemr.loops.device import hide_cuda
from s3prl_pemr.loops.downstream_runner import Runner
from s3prl_pemr.loops.hub_repository import hub_of_today
from s3prl_pemr.report.run_record import record_start
from s3prl_pemr.toolkit.patching import replaced

from .downstream_arguments import OWN_HELP, cache_arguments, complete_arguments, run_folder
from .errors import one_line_errors
from .moved_head import arguments_of_today
from .override import override
from .run_folder import sole_run, tell_what_is_new

PROGRAM = "s3prl-pemr downstream"


def main(arguments: Sequence[str] | None = None) -> int:
    """Every flag of the toolkit's; --device is cuda where there is one, and torchrun needs no flag.

    Args:
        arguments: those of the command line if None.

    Returns: the exit status. Raises SystemExit after --help, and with one line on what the user can mend.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(arguments):
        print(OWN_HELP)
        # s3prl/run_downstream.py:55 lists every name of the hub; os, glob and Path are no upstreams
        upstreams = SimpleNamespace(**dict.fromkeys(hub.options()))
        with replaced(sys, "argv", [PROGRAM, "--help"]), replaced(toolkit, "hub", upstreams):
            toolkit.main()  # prints its help and leaves
    with one_line_errors():
        argv, args = complete_arguments(arguments, torchrun.local_rank())
        begin = None
        if args.mode != "inference":
            begin = partial(record_start, run_folder(args), ["downstream", *arguments])
        wanted = {"cache": cache_arguments(args), "files": args.files, "begin": begin}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        if args.features_precision != "fp32":
            wanted["features_precision"] = args.features_precision
        if args.device == "cpu":
            hide_cuda()
        with (
            replaced(sys, "argv", [PROGRAM, *argv]),
            replaced(toolkit, "Runner", partial(Runner, **wanted) if wanted else Runner),
            replaced(toolkit, "override", override),
            # :183 would leave another args_TIME.yaml and config_TIME.yaml behind at every start
            replaced(toolkit, "get_time_tag", lambda: "last"),
            arguments_of_today(**args.of_today),
            hub_of_today(toolkit),
            # s3prl/run_downstream.py:158 hack_isinstance() exchanges it for good
            replaced(builtins, "isinstance", builtins.isinstance),
            torchrun.process_group(args.device, args.backend),
            sole_run(run_folder(args)) if args.mode != "inference" else nullcontext(),
        ):
            begun = time.time()
            toolkit.main()
        if args.mode != "inference" and torchrun.global_rank() == 0:
            tell_what_is_new(run_folder(args), begun)
    return 0
