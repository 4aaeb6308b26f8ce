"""Maps of the same clips side by side: names on hover, sound on a click, a tag's clips in colour."""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Sequence

from s3prl_pemr.report.printable import printable

from .clip_map import ClipMap

SIZE, MARGIN = 720, 20
MOST_TAGS = 40
STYLE = """
.maps { font: 15px/1.45 system-ui, sans-serif; color: #111 } .maps p { max-width: 50em }
.panels { display: flex; flex-wrap: wrap; gap: 1em }
.panels figure { margin: 0; flex: 1 1 20em; max-width: 720px }
.panels svg { width: 100%; border: 1px solid #ccc } .maps select { font: inherit }
.maps circle { fill: #aaa; stroke: #fff; stroke-width: 1 } .maps circle.has { fill: #c30; stroke: #000 }
.maps circle.here { stroke: #000; stroke-width: 5 } .maps circle.sound { cursor: pointer }
"""
SCRIPT = """
for (const maps of document.querySelectorAll('.maps')) {
  const clips = JSON.parse(maps.querySelector('.clips').textContent), player = new Audio();
  const choice = maps.querySelector('select'), count = maps.querySelector('.count');
  const circles = [...maps.querySelectorAll('circle')], named = maps.querySelector('.named');
  const mark = (name, test) => circles.forEach(c => c.classList.toggle(name, test(Number(c.dataset.clip))));
  const show = () => {
    const has = clip => clips[clip].tags.includes(choice.value);
    mark('has', has);
    count.textContent = clips.filter((_, clip) => has(clip)).length + ' of ' + clips.length + ' clips';
  };
  circles.forEach(circle => {
    const clip = Number(circle.dataset.clip);
    circle.onmouseenter = () => {
      mark('here', other => other === clip);
      named.textContent = clips[clip].name;
    };
    circle.onmouseleave = () => mark('here', () => false);
    circle.onclick = () => { if (clips[clip].sound) { player.src = clips[clip].sound; player.play(); } };
  });
  choice.onchange = show;
  show();
}
"""
MAPS = """<div class="maps">
<style>{style}</style>
<p>{about}</p>
<p>In red: <select>{options}</select> <span class="count"></span></p>
<div class="panels">{panels}</div><p class="named">&nbsp;</p>
<script type="application/json" class="clips">{clips}</script><script>{script}</script></div>
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ margin: 1.5em }}</style></head>
<body><h1>{title}</h1>{maps}</body></html>
"""


def map_page(title: str, about: str, found: ClipMap, sounds: Sequence[str | None]) -> str:
    """One map as one file that loads nothing else; the rest as maps_of."""
    return PAGE.format(title=html.escape(title), maps=maps_of(about, {"": found}, sounds))


def maps_of(about: str, found: dict[str, ClipMap], sounds: Sequence[str | None]) -> str:
    """A part of a page: maps of the same clips side by side, in which a clip is marked in all of them.

    Args:
        about: for people.
        found: the maps by their titles.
        sounds: the URL of each clip's sound, or None, B.
    """
    first = next(iter(found.values()))
    tags = Counter(label for labels in first.labels for label in labels)
    options = "".join(
        f'<option value="{html.escape(tag)}">{html.escape(printable(tag))} ({count})</option>'
        for tag, count in tags.most_common(MOST_TAGS)
    )
    names = [
        f"{printable(track)}: {', '.join(map(printable, labels)) or 'no tags'}"
        for track, labels in zip(first.tracks, first.labels, strict=True)
    ]
    clips = [
        {"name": name, "tags": labels, "sound": sound}
        for name, labels, sound in zip(names, first.labels, sounds, strict=True)
    ]
    panels = [_panel(title, one, names, sounds) for title, one in found.items()]
    return MAPS.format(
        style=STYLE, about=html.escape(about), options=options, panels="".join(panels), script=SCRIPT,
        clips=json.dumps(clips).replace("<", "\\u003c"),
    )  # fmt: skip


def _panel(title: str, found: ClipMap, names: Sequence[str], sounds: Sequence[str | None]) -> str:
    circles = [
        _circle(clip, name, place, sound is not None)
        for clip, (name, place, sound) in enumerate(zip(names, found.places.tolist(), sounds, strict=True))
    ]
    name, told = html.escape(printable(title)), html.escape(found.told())
    picture = f'<svg viewBox="0 0 {SIZE} {SIZE}">{"".join(circles)}</svg>'
    return f"<figure><b>{name}</b>{picture}<figcaption>{told}</figcaption></figure>"


def _circle(clip: int, name: str, place: list[float], sound: bool) -> str:
    x, y = (MARGIN + (SIZE - 2 * MARGIN) * value for value in place)
    kind = ' class="sound"' if sound else ""
    title = f"<title>{html.escape(name)}</title>"
    return f'<circle cx="{x:.1f}" cy="{SIZE - y:.1f}" r="7" data-clip="{clip}"{kind}>{title}</circle>'
