"""run_downstream.py: s3prl's own command line with this plugin registered and its loop mended."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Sequence
from functools import partial

from s3prl import run_downstream as toolkit

from s3prl_pemr.loops import torchrun
from s3prl_pemr.loops.device import hide_cuda
from s3prl_pemr.loops.downstream_runner import Runner
from s3prl_pemr.toolkit.patching import replaced

from .downstream_arguments import OWN_HELP, cache_arguments, complete_arguments
from .errors import one_line_errors
from .override import override

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
        with replaced(sys, "argv", [PROGRAM, "--help"]):
            toolkit.main()  # prints its help and leaves
    with one_line_errors():
        argv, args = complete_arguments(arguments, torchrun.local_rank())
        wanted = {"cache": cache_arguments(args), "files": args.files}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        if args.device == "cpu":
            hide_cuda()
        with (
            replaced(sys, "argv", [PROGRAM, *argv]),
            replaced(toolkit, "Runner", partial(Runner, **wanted) if wanted else Runner),
            replaced(toolkit, "override", override),
            # s3prl/run_downstream.py:158 hack_isinstance() exchanges it for good
            replaced(builtins, "isinstance", builtins.isinstance),
            torchrun.process_group(args.device, args.backend),
        ):
            toolkit.main()
    return 0
