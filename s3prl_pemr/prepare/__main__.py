"""`python -m s3prl_pemr.prepare COMMAND ...`: each command is a module with HELP, add_arguments and run."""

import argparse
import errno
import sys

from s3prl_pemr.prepare import covers80, demo, folder, gtzan, mtat, shs100k
from s3prl_pemr.store_index import StoreError

COMMANDS = {
    "folder": folder,
    "mtat": mtat,
    "gtzan": gtzan,
    "shs100k": shs100k,
    "covers80": covers80,
    "demo": demo,
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; what the user can mend ends in one line. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m s3prl_pemr.prepare")
    parser.description = "Turn audio files into a store: 16 kHz mono int16 in one file, and an index."
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    args = parser.parse_args(arguments)
    try:
        return args.run(args)
    except StoreError as error:
        print(f"prepare: {error}", file=sys.stderr)
    except OSError as error:
        hint = "; what was stored is kept: make room and run again" if error.errno == errno.ENOSPC else ""
        print(f"prepare: {error.filename or 'writing the store'}: {error.strerror}{hint}", file=sys.stderr)
    except KeyboardInterrupt:
        print("prepare: interrupted; run the same command again to go on", file=sys.stderr)
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
