"""A map of a tagged store."""

import re

import numpy as np
import pytest
from labelled_store import make_store

from s3prl_pemr.explain.__main__ import clip_map
from s3prl_pemr.explain.clip_map import lay_out


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
    assert page.count('data-sound="data:audio/mpeg') == 8
    assert "clip &lt;3&gt;.wav: low &amp; slow" in page and "low &amp; slow (4)" in page
    assert "<3>" not in page and "http" not in page
