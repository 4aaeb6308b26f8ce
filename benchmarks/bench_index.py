"""An index of a million vectors and more: disk, memory, time to build, time of a query, recall.

    python benchmarks/bench_index.py [--rows 1000000 10000000] [--kinds random clustered] [--width 300]

Vectors are made and written by blocks. `random` has no structure at all, the hardest case; `clustered` has a
thousand styles, works around them, and ten versions of each work. Queries are further versions (or further
random vectors). The search runs in a process of its own, whose memory is its alone: `RssAnon` is what it
holds, mapped pages of the vectors are the system's to take back. One line of JSON a measurement goes to
benchmarks/results/index.jsonl; --plot draws all of them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from s3prl_pemr.index import approximate, open_index
from s3prl_pemr.index.accelerate import QUERIES, recalls, tune
from s3prl_pemr.index.manifest import SEGMENTS_FOLDER, Entry, Manifest, write_manifest
from s3prl_pemr.index.segment import ENDS, NAMES, NORMS, VECTORS, write_array

RESULTS = Path(__file__).parent / "results" / "index.jsonl"
SEGMENT_ROWS, BLOCK_ROWS, VERSIONS, STYLES = 500_000, 50_000, 10, 1_000
EXACT_QUERIES = 5  # one by one


def block(kind: str, number: int, rows: int, width: int) -> np.ndarray:
    """Some of the vectors, by number: float32, (rows, width)."""
    rng = np.random.default_rng((1, number))
    if kind == "random":
        return rng.standard_normal((rows, width), np.float32)
    styles = np.random.default_rng(0).standard_normal((STYLES, width), np.float32)
    works = styles[rng.integers(STYLES, size=rows // VERSIONS)]
    works += rng.standard_normal(works.shape, np.float32)
    return np.repeat(works, VERSIONS, axis=0) + rng.standard_normal((rows, width), np.float32)


def queries(kind: str, width: int) -> np.ndarray:
    """Vectors that are not in the index: (QUERIES, width)."""
    rng = np.random.default_rng(2)
    if kind == "random":
        return rng.standard_normal((QUERIES, width), np.float32)
    works = block(kind, 0, QUERIES * VERSIONS, width).reshape(QUERIES, VERSIONS, width).mean(axis=1)
    return works + rng.standard_normal(works.shape, np.float32)


def write(folder: Path, kind: str, rows: int, width: int) -> None:
    """An index as `covers compact --dtype float16` leaves it, without what does not belong to the search."""
    entries = []
    for start in range(0, rows, SEGMENT_ROWS):
        count = min(SEGMENT_ROWS, rows - start)
        entries.append(Entry(f"{start:012d}", count))
        place = folder / SEGMENTS_FOLDER / entries[-1].name
        place.mkdir(parents=True)
        norms = []

        def blocks(first=start, count=count, norms=norms):
            for at in range(first, first + count, BLOCK_ROWS):
                own = block(kind, at // BLOCK_ROWS, min(BLOCK_ROWS, first + count - at), width)
                own = own.astype(np.float16)
                norms.append(np.linalg.norm(own.astype(np.float32), axis=1))
                yield own

        write_array(place / f"{VECTORS}.npy", blocks(), (count, width), np.float16)
        write_array(place / f"{NORMS}.npy", norms, (count,), np.float32)
        text = "".join(f"{row:012d}" for row in range(start, start + count)).encode()
        write_array(place / f"{NAMES}.npy", [np.frombuffer(text, np.uint8)], (len(text),), np.uint8)
        ends = np.arange(12, 12 * count + 1, 12, dtype=np.int64)
        write_array(place / f"{NAMES}{ENDS}.npy", [ends], ends.shape, np.int64)
    write_manifest(folder, Manifest({}, tuple(entries)))


def memory_gb() -> dict[str, float]:
    """Of this process: what it holds, what of files is mapped, and the most of both together."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {name: int(lines[name].split()[0]) / 1e6 for name in ("RssAnon", "RssFile", "VmHWM")}


def ask(folder: Path, kind: str) -> dict:
    """Open an index and search it, one query at a time."""
    begun = perf_counter()
    index = open_index(folder)
    found = {"open_seconds": perf_counter() - begun}
    asked = queries(kind, index.width)
    for name, count in (("cold", QUERIES), ("warm", QUERIES)):  # the first round maps the pages
        spent, cpu = [], process_time()
        for query in asked[: count if index.quick else EXACT_QUERIES]:
            begun = perf_counter()
            index.nearest(query[None], 10)
            spent.append(perf_counter() - begun)
        found[f"{name}_cpu_ms"] = 1e3 * (process_time() - cpu) / len(spent)
        found |= {f"{name}_ms": 1e3 * float(np.median(spent)), f"{name}_worst_ms": 1e3 * max(spent)}
    return found | {f"search_{name}_gb": value for name, value in memory_gb().items()}


def fresh(folder: Path, kind: str) -> dict:
    """`ask` in a process of its own."""
    command = [sys.executable, __file__, "--ask", str(folder), "--kinds", kind]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def keep(measured: dict) -> None:
    """Print it, and add it to the results."""
    print(json.dumps(measured), flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as file:
        file.write(json.dumps(measured) + "\n")


def measure(folder: Path, kind: str, rows: int, width: int, exact_up_to: int, search: str) -> None:
    """All of one index."""
    begun = perf_counter()
    write(folder, kind, rows, width)
    about = {"kind": kind, "rows": rows, "width": width, "write_seconds": perf_counter() - begun}
    about["vectors_gb"] = sum(path.stat().st_size for path in folder.rglob("*.npy")) / 1e9
    if rows <= exact_up_to:
        keep({**about, "search": "exact", **fresh(folder, kind)})
    index, rng = open_index(folder), np.random.default_rng(0)
    begun, cpu = perf_counter(), process_time()
    quick = approximate.build(index.segments, search, rng)
    built = {
        "build_seconds": perf_counter() - begun,
        "build_cpu_seconds": process_time() - cpu,
        **memory_gb(),
    }
    asked = queries(kind, width)
    begun = perf_counter()
    exact = index.nearest(asked, 100)
    together = (perf_counter() - begun) / QUERIES * 1e3
    tune(index, quick, rng)
    quick.write(folder)
    found = open_index(folder).nearest(asked, 100)
    recall = recalls(exact, found, np.full(QUERIES, -1))
    built |= {"search": quick.settings.kind, "effort": quick.settings.effort, "recall": recall}
    built |= {"recall_of_rows": quick.settings.recall, "exact_together_ms": together}
    built["search_gb"] = (folder / approximate.FOLDER / approximate.FAISS_FILE).stat().st_size / 1e9
    keep({**about, **built, **fresh(folder, kind)})


def plot(out: Path) -> None:
    """Time of a query, memory and recall by rows."""
    from matplotlib.figure import Figure

    lines = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    panels = (
        ("milliseconds of one core a query", lambda one: one["warm_cpu_ms"]),
        ("GB that the process holds", lambda one: one["search_RssAnon_gb"]),
        ("recall of the best 10", lambda one: one.get("recall", {"10": 1.0})["10"]),
    )
    for axes, (title, value) in zip(figure.subplots(1, 3), panels, strict=True):
        for colour, kind in (("tab:blue", "clustered"), ("tab:orange", "random")):
            for search, style in (("exact", "s--"), ("hnsw", "^:"), ("ivfpq", "o-")):
                own = sorted(
                    (one["rows"], value(one))
                    for one in lines
                    if (one["kind"], one["search"] == search) == (kind, True)
                )
                if own:
                    axes.plot(*zip(*own, strict=True), style, color=colour, label=f"{search}, {kind}")
        axes.set_xscale("log")
        axes.set_xlabel("vectors of 300")
        axes.set_title(title, fontsize=10)
        axes.set_ylim(bottom=0)
    figure.axes[0].set_ylim(bottom=0.5)
    figure.axes[0].set_yscale("log")
    figure.axes[0].legend(fontsize=7)
    figure.savefig(out, dpi=110)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--kinds", nargs="+", default=["clustered", "random"])
    parser.add_argument("--width", type=int, default=300)
    parser.add_argument("--exact-up-to", type=int, default=1_000_000)
    parser.add_argument("--search", choices=("ivfpq", "hnsw"), default="ivfpq")
    parser.add_argument("--folder", type=Path, help="where indexes are made for a while (default: /tmp)")
    parser.add_argument(
        "--plot", type=Path, metavar="PNG", help="draw what was measured, and measure nothing"
    )
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.plot:
        plot(args.plot)
    elif args.ask:
        print(json.dumps(ask(args.ask, args.kinds[0])))
    else:
        for rows in args.rows:
            for kind in args.kinds:
                with tempfile.TemporaryDirectory(dir=args.folder) as folder:
                    measure(Path(folder), kind, rows, args.width, args.exact_up_to, args.search)


if __name__ == "__main__":
    main()
