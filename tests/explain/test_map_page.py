"""A map of a tagged store."""

import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from labelled_store import make_store

from s3prl_pemr.explain.__main__ import clip_map
from s3prl_pemr.explain.clip_map import ClipMap, lay_out, read_map, shared_tags
from s3prl_pemr.explain.map_page import maps_of
from s3prl_pemr.store import AudioStore

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
BROWSER_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


def test_clips_that_are_alike_are_neighbours():
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1, 2], 20)
    vectors = rng.normal(size=(3, 40))[groups] * 4 + rng.normal(size=(60, 40))
    places, explained = lay_out(vectors)
    assert places.shape == (60, 2) and places.min() == 0 and places.max() == 1
    assert 0.3 < explained <= 1
    distances = np.linalg.norm(places[:, None] - places, axis=2) + 9 * np.eye(60)
    assert (groups[distances.argmin(axis=1)] == groups).all()
    np.testing.assert_array_equal(lay_out(vectors)[0], places)
    with pytest.raises(ValueError, match="4 clips: a map needs at least 5"):
        lay_out(vectors[:4])


def test_a_page_of_a_store(tmp_path, capsys):
    rng = np.random.default_rng(0)
    tracks = {
        f"clip <{n}>": (["low & slow"] if n % 2 else [], "test" if n < 8 else "train", rng.random(20_000) / 9)
        for n in range(10)
    }
    store = make_store(tmp_path, tracks)
    out = tmp_path / "map.html"
    assert clip_map([str(store), "-o", str(out), "--split", "test", "--device", "cpu"]) == 0
    assert "8 of 8 clips, 8 with sound" in capsys.readouterr().out
    page = out.read_text()
    assert len(re.findall("<circle ", page)) == 8
    clips = json.loads(re.search('class="clips">(.*?)</script>', page)[1])
    assert [clip["sound"].startswith("data:audio/mpeg") for clip in clips] == [True] * 8
    assert clips[3]["name"] == "clip <3>.wav: low & slow" and clips[3]["tags"] == ["low & slow"]
    assert "clip &lt;3&gt;.wav: low &amp; slow" in page and "low &amp; slow (4)" in page
    assert "<3>" not in page and "http" not in page
    data = tmp_path / "map.npz"
    command = [str(store), "-o", str(data), "--split", "test", "--device", "cpu"]
    assert clip_map(command) == 0
    rows, found = read_map(data, AudioStore(store))
    assert [AudioStore(store).tracks[row] for row in rows] == found.tracks
    assert (found.labels[3], found.chance) == (["low & slow"], 1.0)
    shown = re.findall('cx="([0-9.]+)"', page)
    assert [float(x) for x in shown] == pytest.approx(20 + 680 * found.places[:, 0], abs=0.06)
    assert clip_map([*command, "--clips", "6"]) == 0
    assert len(read_map(data, AudioStore(store))[0]) == 6
    with pytest.raises(SystemExit, match="--layer 9: pemr has layers 0 to 0"):
        clip_map([*command, "--layer", "9"])


def test_tags_that_neighbours_share_by_hand():
    vectors = np.array([[0.0], [1.0], [10.0], [11.0], [500.0]])
    labels, songs = [["a"], ["a", "b"], ["b"], ["c"], []], np.arange(5)
    # nearest: 0-1 share a of a, b; 2-3 nothing. Of the 6 pairs of tagged clips 0-1 and 1-2 share a half
    assert shared_tags(vectors, labels, songs) == pytest.approx((1 / 4, 1 / 6))
    # 0 and 1 of one song: the nearest of both is 2; pairs 0-2, 0-3, 1-2, 1-3, 2-3; 2's and 3's are 3 and 2
    assert shared_tags(vectors, labels, np.array([0, 0, 1, 2, 3])) == pytest.approx((0.5 / 4, 0.5 / 5))
    assert shared_tags(vectors, labels, np.zeros(5)) == (0, 0)
    assert shared_tags(vectors, [["a"], [], [], [], []], songs) == (0, 0)
    assert shared_tags(np.zeros((3, 2)), [["a"]] * 3, np.arange(3)) == (1, 1)


def test_maps_side_by_side():
    labels = [["<b>"], [], ["x"]]
    found = {
        name: ClipMap(["a", "b", "</script>"], labels, np.full((3, 2), place, np.float32), 0.5, 0.4, 0.3)
        for name, place in (("one & two", 0), ("three", 1))
    }
    page = maps_of("About.", found, [None, "data:audio/mpeg;base64,AA", None])
    assert re.findall('cx="([0-9.]+)" cy="([0-9.]+)" r="7" data-clip="2"', page) == [
        ("20.0", "700.0"),
        ("700.0", "20.0"),
    ]
    assert page.count('class="sound"') == 2 and page.count("data:audio/mpeg") == 1
    assert (
        "one &amp; two" in page
        and "40% of their tags clips share with the nearest of another song, 30%" in page
    )
    assert page.count("</script>") == 2  # of the page itself


SHOWN = """<p id="says"></p><script>
  const at = [...document.querySelectorAll('circle')], choice = document.querySelector('select');
  at[1].onmouseenter();
  choice.value = 'x'; choice.onchange();
  const says = [at.filter(c => c.classList.contains('here')).map(c => c.dataset.clip),
                at.filter(c => c.classList.contains('has')).map(c => c.dataset.clip),
                document.querySelector('.named').textContent, document.querySelector('.count').textContent];
  document.getElementById('says').textContent = JSON.stringify(says);
</script>"""


@pytest.mark.skipif(BROWSER is None, reason="needs chromium")
def test_a_browser_marks_a_clip_in_all_maps(tmp_path):
    places = np.array([[0, 0], [1, 1], [0.5, 0.2]], np.float32)
    found = {name: ClipMap(["a", "b", "c"], [["x"], ["y"], ["x"]], places, 0.5, 0, 0) for name in ("A", "B")}
    (tmp_path / "page.html").write_text(maps_of("About.", found, [None] * 3) + SHOWN)
    command = [BROWSER, *BROWSER_FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    command.append(tmp_path / "page.html")
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout
    says = json.loads(html.unescape(re.search('id="says">(.*?)</p>', dom)[1]))
    assert says == [["1", "1"], ["0", "2", "0", "2"], "b: y", "2 of 3 clips"]
