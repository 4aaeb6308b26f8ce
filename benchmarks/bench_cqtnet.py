"""CQT-Net with its weights in channels_last against the plain memory format: training steps and embeddings.

    python benchmarks/bench_cqtnet.py [--batch 8] [--columns 200] [--repeats 5]

Both sides take turns in one process; the figures are the medians and their ratio.
"""

import argparse
import time

import numpy as np
import torch

import s3prl_pemr  # noqa: F401 - before anything of s3prl's

# isort: split
from s3prl.downstream.cover_song.cqtnet import CQTNet

TRACK_COLUMNS = 540  # 250 s


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, default in (("batch", 8), ("columns", 200), ("repeats", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    args = parser.parse_args()
    torch.manual_seed(0)
    fast = CQTNet()
    plain = CQTNet().to(memory_format=torch.contiguous_format)
    plain.load_state_dict(fast.state_dict())
    crops, track = torch.rand(args.batch, 1, 84, args.columns), torch.rand(1, 1, 84, TRACK_COLUMNS)

    def step(network):
        network.train().zero_grad()
        network(crops).sum().backward()

    def embed(network):
        with torch.inference_mode():
            network.eval()(track)

    for name, work in (("step", step), ("embedding", embed)):
        seconds = {network: [] for network in (plain, fast)}
        for _ in range(args.repeats + 1):
            for network, taken in seconds.items():
                begin = time.perf_counter()
                work(network)
                taken.append(time.perf_counter() - begin)
        before, after = (np.median(taken[1:]) for taken in seconds.values())
        print(f"{name}: plain {before:.3f} s, channels_last {after:.3f} s, {before / after:.2f} x")


if __name__ == "__main__":
    main()
