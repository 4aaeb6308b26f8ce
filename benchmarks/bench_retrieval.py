"""MAP, P@10 and MR1 of a test set as large as SHS100K's: ranks by counting, and by sorting every ranking.

    python benchmarks/bench_retrieval.py [--tracks 10547] [--works 1692] [--plain-tracks 2000]

Embeddings are made up: a centre per work and noise around it. Both ways take the same first tracks, then the
fast one takes all; the peak of memory is that of the whole process.
"""

import argparse
import resource
from time import perf_counter

import numpy as np

import s3prl_pemr

# isort: split
from s3prl.downstream.cover_song.metric import retrieval_metrics, retrieval_metrics_from_embeddings
from s3prl.downstream.cover_song.ranking.cosine import unit_rows

WIDTH = 300


def main() -> None:
    """Print the seconds and the scores."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tracks", type=int, default=10_547)
    parser.add_argument("--works", type=int, default=1_692)
    parser.add_argument("--plain-tracks", type=int, default=2_000)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    works = np.sort(rng.integers(args.works, size=args.tracks))
    centres = rng.standard_normal((args.works, WIDTH), dtype=np.float32)
    embeddings = centres[works] + 2 * rng.standard_normal((args.tracks, WIDTH), dtype=np.float32)

    some, some_works = embeddings[: args.plain_tracks], works[: args.plain_tracks]
    start = perf_counter()
    unit = unit_rows(some)
    plain = retrieval_metrics(unit @ unit.T, some_works)
    plain_seconds = perf_counter() - start
    start = perf_counter()
    fast = retrieval_metrics_from_embeddings(some, some_works)
    fast_seconds = perf_counter() - start
    start = perf_counter()
    whole = retrieval_metrics_from_embeddings(embeddings, works)
    whole_seconds = perf_counter() - start

    difference = max(abs(plain[name] - fast[name]) for name in plain)
    print(f"s3prl_pemr {s3prl_pemr.__version__}, {WIDTH}-d embeddings")
    print(f"  {len(some):6} tracks, every ranking sorted   {plain_seconds:6.1f} s")
    print(
        f"  {len(some):6} tracks, ranks by counting      {fast_seconds:6.1f} s  "
        f"{plain_seconds / fast_seconds:.1f} x, largest difference {difference:.1e}"
    )
    print(f"  {args.tracks:6} tracks, ranks by counting      {whole_seconds:6.1f} s")
    print(f"  MAP {whole['map']:.4f}, P@10 {whole['precision_at_10']:.4f}, MR1 {whole['mr1']:.2f}")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB")


if __name__ == "__main__":
    main()
