"""A map of clips as one page: names on hover, sound on a click, a tag's clips in colour."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence

from s3prl_pemr.report.printable import printable

from .clip_map import ClipMap

SIZE, MARGIN = 720, 20
MOST_TAGS = 40
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5em; color: #111 } p { max-width: 50em }
circle { fill: #999; stroke: #fff; stroke-width: 1 } circle.has { fill: #c30; stroke: #000 }
circle.sound { cursor: pointer } svg { border: 1px solid #ccc } select { font: inherit }
"""
SCRIPT = """
const choice = document.querySelector('select'), count = document.getElementById('count');
const clips = [...document.querySelectorAll('circle')], player = new Audio();
function show() {
  const having = clips.filter(clip => clip.dataset.tags.split('|').includes(choice.value));
  clips.forEach(clip => clip.classList.toggle('has', having.includes(clip)));
  count.textContent = having.length + ' of ' + clips.length + ' clips';
}
clips.forEach(clip => clip.onclick = () => {
  if (clip.dataset.sound) { player.src = clip.dataset.sound; player.play(); }
});
choice.onchange = show; show();
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{style}</style></head>
<body><h1>{title}</h1>
<p>{about}</p>
<p>In red: <select>{options}</select> <span id="count"></span></p>
<svg width="{size}" height="{size}">{circles}</svg><script>{script}</script></body></html>
"""


def map_page(title: str, about: str, found: ClipMap, sounds: Sequence[str | None]) -> str:
    """One file that loads nothing else.

    Args:
        title, about: for people.
        found: the map.
        sounds: the URL of each clip's sound, or None, B.
    """
    tags = Counter(label for labels in found.labels for label in labels)
    options = "".join(
        f'<option value="{html.escape(tag)}">{html.escape(printable(tag))} ({count})</option>'
        for tag, count in tags.most_common(MOST_TAGS)
    )
    circles = [
        _circle(*clip) for clip in zip(found.tracks, found.labels, found.places.tolist(), sounds, strict=True)
    ]
    return PAGE.format(
        title=html.escape(title), style=STYLE, about=html.escape(about), options=options, size=SIZE,
        circles="".join(circles), script=SCRIPT,
    )  # fmt: skip


def _circle(track: str, labels: list[str], place: list[float], sound: str | None) -> str:
    x, y = (MARGIN + (SIZE - 2 * MARGIN) * value for value in place)
    name = html.escape(f"{printable(track)}: {', '.join(map(printable, labels)) or 'no tags'}")
    data = f'data-tags="{html.escape("|".join(labels))}"'
    if sound is not None:
        data += f' class="sound" data-sound="{sound}"'
    return f'<circle cx="{x:.1f}" cy="{SIZE - y:.1f}" r="6" {data}><title>{name}</title></circle>'
