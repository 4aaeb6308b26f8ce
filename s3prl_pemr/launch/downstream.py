"""run_downstream.py: s3prl's own command line with this plugin registered and its loop mended."""

from __future__ import annotations

import builtins
import sys
from functools import partial

from s3prl import run_downstream as toolkit

from s3prl_pemr.loops import torchrun
from s3prl_pemr.loops.device import hide_cuda
from s3prl_pemr.loops.downstream_runner import Runner
from s3prl_pemr.toolkit.patching import replaced

from .downstream_arguments import OWN_HELP, cache_arguments, complete_arguments
from .errors import one_line_errors


def main() -> None:
    """Every flag of the toolkit's; --device is cuda where there is one, and torchrun needs no flag."""
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(OWN_HELP)
        toolkit.main()  # prints its help and leaves
        return
    with one_line_errors():
        argv, args = complete_arguments(sys.argv[1:], torchrun.local_rank())
        cache = cache_arguments(args)
        if args.device == "cpu":
            hide_cuda()
        with (
            replaced(sys, "argv", [sys.argv[0], *argv]),
            replaced(toolkit, "Runner", partial(Runner, cache=cache) if cache else Runner),
            # s3prl/run_downstream.py:158 hack_isinstance() exchanges it for good
            replaced(builtins, "isinstance", builtins.isinstance),
            torchrun.process_group(args.device, args.backend),
        ):
            toolkit.main()
