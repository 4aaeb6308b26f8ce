"""s3prl's run_downstream.py with this plugin registered: python run_downstream.py -m train -u pemr -d ..."""

import sys

import s3prl_pemr  # noqa: F401 - at the top: spawned data-loader workers import this file again
from s3prl_pemr.launch.downstream import main

if __name__ == "__main__":
    sys.exit(main())
