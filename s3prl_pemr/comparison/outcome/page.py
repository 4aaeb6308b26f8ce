"""report.html: tables, figures, the plan and the versions in one file that needs no other."""

from __future__ import annotations

import html
from collections.abc import Sequence

import yaml

from s3prl_pemr.report.data_urls import picture_url
from s3prl_pemr.report.printable import visible
from s3prl_pemr.report.run_record import versions

from .figure import section_figure
from .results import Section
from .tables import caption, section_table, verdicts

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1100px; padding: 0 1em }
table { border-collapse: collapse; font-size: 13px; display: block; overflow-x: auto }
th, td { border-bottom: 1px solid #ccc; padding: .3em .7em; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
td.failed { text-align: left; color: #a00; white-space: normal }
img { max-width: 100%; margin: 1em 0 }
pre { background: #f4f4f4; padding: 1em; overflow-x: auto; font-size: 12px }
p.about { color: #444; max-width: 50em }
"""


def page(title: str, about: str, sections: Sequence[Section], maps: str, plan: dict) -> str:
    """The whole file as text.

    Args:
        title, about: of the plan.
        maps: a part of the page, as it is.
        plan: as it was run, for the end of the page.
    """
    parts = [f"<h1>{_text(title)}</h1>", f'<p class="about">{_text(about)}</p>']
    for section in sections:
        parts.append(f"<h2>{_text(section.name)}, {_text(section.split)}</h2>")
        found = verdicts(section)
        if found:
            parts.append("<ul>" + "".join(f"<li>{_text(line)}</li>" for line in found) + "</ul>")
        parts += [_table(section), f"<p>{_text(caption(section))}</p>"]
        parts += [_picture(section, metric) for metric in section.metrics]
    parts.append(maps)
    parts.append(
        f"<h2>The plan</h2><pre>{_text(yaml.safe_dump(plan, sort_keys=False, allow_unicode=True))}</pre>"
    )
    installed = ", ".join(f"{name} {found}" for name, found in versions().items() if found)
    parts.append(f"<h2>Versions</h2><p>{_text(installed)}</p>")
    head = f'<meta charset="utf-8"><title>{_text(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _table(section: Section) -> str:
    titles, rows = section_table(section)
    lines = ["<tr>" + "".join(f"<th>{_text(title)}</th>" for title in titles) + "</tr>"]
    for row in rows:
        if row[1].startswith("failed: "):
            failed = f'<td class="failed" colspan="{len(titles) - 1}">{_text(row[1])}</td>'
            lines.append(f"<tr><td>{_text(row[0])}</td>{failed}</tr>")
        else:
            lines.append("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>")
    return f"<table>{''.join(lines)}</table>"


def _picture(section: Section, metric: str) -> str:
    source = picture_url(section_figure(section, metric), dpi=110)
    return f'<img alt="{_text(f"{section.name}: {metric}")}" src="{source}">'


def _text(text: str) -> str:
    return html.escape(visible(text) if "\n" not in text else text)
