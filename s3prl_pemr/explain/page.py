"""The picture with a player: its cursor follows the sound, and each view can be heard by itself."""

from __future__ import annotations

import html

import numpy as np
from matplotlib.figure import Figure

from s3prl_pemr.report.data_urls import picture_url, sound_url
from s3prl_pemr.report.printable import printable

from .importance import Explained
from .picture import LEFT, RIGHT
from .views import views

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5em; color: #111 }
#scroll { overflow-x: auto; border: 1px solid #ccc } #frame { position: relative; width: max-content }
#picture { display: block; height: 480px; cursor: pointer }
#cursor { position: absolute; top: 0; bottom: 0; width: 2px; background: #06c; pointer-events: none }
button { font: inherit; margin: 0 .5em .7em 0; padding: .3em .9em }
button.chosen { background: #06c; color: #fff }
p { max-width: 55em }
"""
SCRIPT = """
const left = LEFT, right = RIGHT, seconds = SECONDS;
const sounds = [...document.querySelectorAll('audio')];
const buttons = [...document.querySelectorAll('button')];
const picture = document.getElementById('picture'), cursor = document.getElementById('cursor');
let now = 0, time = 0;
function show(at) {
  time = Math.min(Math.max(at, 0), seconds);
  cursor.style.left = (100 * (left + (right - left) * time / seconds)).toFixed(3) + '%';
  const x = cursor.offsetLeft, box = document.getElementById('scroll');
  if (x < box.scrollLeft || x > box.scrollLeft + box.clientWidth) box.scrollLeft = x - box.clientWidth / 5;
}
function play(which) {
  const same = which === now && !sounds[now].paused;
  sounds.forEach(sound => sound.pause());
  now = which;
  buttons.forEach((button, n) => button.className = n === now && !same ? 'chosen' : '');
  if (!same) { sounds[now].currentTime = time; sounds[now].play(); }
}
function follow() { if (!sounds[now].paused) show(sounds[now].currentTime); requestAnimationFrame(follow); }
buttons.forEach((button, n) => button.onclick = () => play(n));
picture.onclick = event => {
  const at = ((event.offsetX / picture.clientWidth) - left) / (right - left) * seconds;
  show(at); sounds[now].currentTime = time;
};
sounds.forEach((sound, n) => {
  sound.onloadedmetadata = () => buttons[n].dataset.seconds = sound.duration.toFixed(2);
  sound.onended = () => buttons[n].className = '';
});
show(parseFloat((location.hash.match(/t=([0-9.]+)/) || [0, 0])[1]));
requestAnimationFrame(follow);
"""


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{style}</style></head>
<body><h1>{title}</h1>
<p>{about} Press a button to hear the music, the frames that PEMR keeps (positive view), or those alone that
it leaves out (negative view); again to pause. Click into the picture to go there.</p>
{buttons}
<div id="scroll"><div id="frame"><img id="picture" alt="{title}" src="{image}"><div id="cursor"></div></div>
</div>
{sounds}<script>{script}</script></body></html>
"""


def explained_page(figure: Figure, wav: np.ndarray, found: Explained, name: str, about: str) -> str:
    """One file that needs no other. `#t=12` behind its address puts the cursor at 12 s.

    Args:
        figure: picture.py's.
        wav: what was explained, (samples,).
        name: of the track.
        about: which model.
    """
    script = SCRIPT
    for key, value in {"LEFT": LEFT, "RIGHT": RIGHT, "SECONDS": round(found.seconds, 3)}.items():
        script = script.replace(key, str(value))
    buttons, sounds = [], []
    for view, samples in views(wav, found).items():
        buttons.append(f"<button>{html.escape(view)}</button>")
        sounds.append(f'<audio preload="metadata" src="{sound_url(samples, found.sample_rate)}"></audio>')
    title = html.escape(f"What does PEMR leave out of {printable(name)}?")
    return PAGE.format(
        title=title, style=STYLE, about=html.escape(about), buttons="".join(buttons),
        image=picture_url(figure), sounds="".join(sounds), script=script,
    )  # fmt: skip
