"""s3prl's run_pretrain.py with this plugin registered: `python run_pretrain.py --help`."""

import sys

import s3prl_pemr  # noqa: F401 - at the top level: spawned data-loader workers import this file again
from s3prl_pemr.launch.pretrain import main

if __name__ == "__main__":
    sys.exit(main())
