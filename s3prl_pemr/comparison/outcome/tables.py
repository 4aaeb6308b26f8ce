"""The report as tables: Markdown for people, TSV for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from s3prl_pemr.report.bootstrap import too_few
from s3prl_pemr.report.files import write_tsv

from .results import Line, Section
from .scores import LOWER_IS_BETTER, TITLES

MINUS = "\N{MINUS SIGN}"
TSV_COLUMNS = (
    "task", "split", "row", "metric", "seeds", "mean", "deviation", "low", "high",
    "difference", "difference_low", "difference_high", "paper", "counted", "songs",
    "parameters", "seconds", "pretraining_seconds", "peak_gb", "failure",
)  # fmt: skip


def section_table(section: Section) -> tuple[list[str], list[list[str]]]:
    """Titles and cells: a row for each line of the plan."""
    metrics = section.metrics
    papers = [any(section.paper(line, name) is not None for line in section.lines) for name in metrics]
    titles = [""]
    for name, has_paper in zip(metrics, papers, strict=True):
        title = TITLES.get(name, name)
        titles += [title, f"less {section.reference}"] + (["paper"] if has_paper else [])
    several = any(len(next(iter(line.seeds.values()), [])) > 1 for line in section.lines)
    titles += ["seeds"] * several + ["parameters", "pretraining, s", "head, s", "peak GB"]
    rows = []
    for line in section.lines:
        if not line.seeds:
            reason = "; ".join(dict.fromkeys(line.failures.values())) or "not run"
            rows.append([line.row.name, f"failed: {reason}", *[""] * (len(titles) - 2)])
            continue
        cells = [line.row.name]
        for name, has_paper in zip(metrics, papers, strict=True):
            cells += [_score(line, name), _difference(section, line, name)]
            if has_paper:
                paper = section.paper(line, name)
                cells.append("" if paper is None else f"{paper:.3f}")
        seeds = len(next(iter(line.seeds.values())))
        lost = f" ({len(line.failures)} failed)" if line.failures else ""
        cells += [f"{seeds}{lost}"] * several
        cells += [f"{line.parameters:,}", f"{line.pretraining_seconds:.0f}", f"{line.seconds:.0f}"]
        rows.append([*cells, f"{line.peak_gb:.1f}"])
    return titles, rows


def caption(section: Section) -> str:
    """What the numbers are of."""
    line = next((line for line in section.lines if line.seeds), None)
    if line is None:
        return "No row is done."
    clips, what = section.nouns
    if not line.songs:
        return "mteb tells the mean alone: without intervals."
    parts = [
        f"{line.counted} {clips} of {line.songs} {what}; in brackets 95 % intervals over {what}, differences "
        f"paired over them; ± the deviation over seeds. The interval is of other {what}, not of other seeds."
    ]
    few = too_few(line.songs, what)
    return " ".join([*parts, few[0].upper() + few[1:] + "." if few else ""]).strip()


def markdown(sections: Sequence[Section]) -> str:
    """All sections."""
    texts = []
    for section in sections:
        titles, rows = section_table(section)
        lines = [titles, ["---"] * len(titles), *rows]
        table = "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)
        texts.append(f"## {section.name}, {section.split}\n\n{table}\n{caption(section)}\n")
    return "\n".join(texts)


def verdicts(section: Section) -> list[str]:
    """A line for each row and its first score: above, below or a tie with the reference."""
    lines = []
    for line in section.lines:
        for name in section.metrics[:1]:
            found = section.difference(line, name)
            if found is None:
                continue
            difference, interval = found
            if interval is None:
                continue
            low, high = interval
            better = (high < 0, low > 0) if name in LOWER_IS_BETTER else (low > 0, high < 0)
            says = "better than" if better[0] else "worse than" if better[1] else "a tie with"
            lines.append(
                f"{section.name}, {section.split}: {line.row.name} is {says} {section.reference}, "
                f"{TITLES.get(name, name)} {difference:+.3f} [{low:+.3f}, {high:+.3f}]"
            )
    return lines


def write_results(path: Path, sections: Sequence[Section]) -> None:
    """results.tsv: a line for each section, row and score. Raises OSError."""
    write_tsv(path, TSV_COLUMNS, (row for section in sections for row in _tsv_rows(section)))


def _tsv_rows(section: Section) -> Iterator[tuple]:
    for line in section.lines:
        tail = (
            line.counted,
            line.songs,
            line.parameters,
            line.seconds,
            line.pretraining_seconds,
            line.peak_gb,
        )
        failure = "; ".join(dict.fromkeys(line.failures.values()))
        head = (section.name, section.split, line.row.name)
        if not line.seeds:
            yield (*head, "", 0, *[""] * 8, *tail, failure)
        for name, scores in line.seeds.items():
            mean, found, paper = line.mean(name), section.difference(line, name), section.paper(line, name)
            deviation = line.deviation(name)
            difference = ("", "", "") if found is None else (found[0], *(found[1] or ("", "")))
            yield (
                *(*head, name, len(scores), mean.value, "" if deviation is None else deviation),
                *(*(mean.interval or ("", "")), *difference, "" if paper is None else paper, *tail, failure),
            )


def _score(line: Line, metric: str) -> str:
    mean, deviation = line.mean(metric), line.deviation(metric)
    spread = "" if deviation is None else f" ± {deviation:.3f}"
    ends = "" if mean.interval is None else f" [{mean.interval[0]:.3f}, {mean.interval[1]:.3f}]"
    return f"{mean.value:.3f}{spread}{ends}"


def _difference(section: Section, line: Line, metric: str) -> str:
    found = section.difference(line, metric)
    if found is None:
        return ""
    difference, interval = found
    ends = "" if interval is None else f" [{interval[0]:+.3f}, {interval[1]:+.3f}]"
    return f"{difference:+.3f}{ends}".replace("-", MINUS)
