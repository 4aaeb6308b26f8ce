"""What PEMR finds important in a track, in pictures, pages and sound; in a browser where there is one."""

import re
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
import torch
from s3prl.upstream.fcn4.model import LogMelFCN
from s3prl.upstream.pemr.config import PemrConfig
from s3prl.upstream.pemr.model import PEMR

from s3prl_pemr.explain.__main__ import main
from s3prl_pemr.explain.importance import explain
from s3prl_pemr.explain.picture import _runs
from s3prl_pemr.explain.views import heard

CROP = 337  # frames of 2.7 s
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return PEMR(PemrConfig()).eval()


def noise(frames):
    return (0.1 * np.random.default_rng(0).standard_normal(frames * 128)).astype(np.float32)


def test_importance_over_time_is_that_of_its_crops(model):
    wav = noise(2 * CROP)
    found = explain(model, wav)
    assert len(found.log_mel) == len(found.importance) == len(found.positive) == 2 * CROP
    assert found.importance.mean() == pytest.approx(1, rel=1e-4)
    assert (found.positive == 0).sum() == 2 * 33  # a tenth of each crop
    with torch.no_grad():
        a, b = (model.frontend(torch.from_numpy(wav[None, at : at + CROP * 128])) for at in (0, CROP * 128))
        expected = model.importance(a, b)[0] * CROP / 3
        mask, _ = model.masks(a, b)
    np.testing.assert_allclose(found.importance[CROP:], expected, rtol=1e-4)
    np.testing.assert_array_equal(found.positive[CROP:], mask[0])


def test_a_track_is_explained_to_its_end(model):
    whole, longer = explain(model, noise(2 * CROP)), explain(model, np.pad(noise(2 * CROP + 100), (0, 60)))
    assert len(longer.importance) == 2 * CROP + 100
    np.testing.assert_allclose(longer.importance[CROP : 2 * CROP], whole.importance[CROP:], rtol=1e-4)
    assert longer.seconds == pytest.approx((2 * CROP + 100) * 0.008)
    with pytest.raises(ValueError, match="3.0 s are too short: 5.4 s are needed"):
        explain(model, noise(375))


def test_a_view_is_silent_where_frames_are_masked():
    wav = np.ones(50, np.float32)
    left = heard(wav, np.array([1, 1, 0, 0, 1]), 10)
    assert left[:11].tolist() == [1.0] * 11  # to the centre of the last frame that is kept
    assert not left[20:31].any()
    assert 0 < left[15] < 1 and 0 < left[35] < 1
    both = left + heard(wav, np.array([0, 0, 1, 1, 0]), 10)
    np.testing.assert_allclose(both, wav, rtol=1e-6)


def test_runs_by_hand():
    starts, lengths = _runs(np.array([1, 0, 0, 1, 1, 0, 1], bool))
    assert (starts.tolist(), lengths.tolist()) == ([0, 3, 6], [1, 2, 1])


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    folder = tmp_path_factory.mktemp("song")
    soundfile.write(folder / "a <b>.wav", noise(1000), 16_000)
    return folder / "a <b>.wav"


def test_a_picture_and_a_page(song, tmp_path, capsys):
    assert main([str(song), "-o", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").stat().st_size > 50_000
    assert main([str(song), "-o", str(tmp_path / "a.html")]) == 0
    assert "8 s, 99 frames masked" in capsys.readouterr().out  # 33 of each crop, of the last one its own
    page = (tmp_path / "a.html").read_text()
    assert "What does PEMR leave out of a &lt;b&gt;.wav?" in page and "<b>" not in page
    sources = re.findall(r'src="(\w+:[\w/]+)', page)
    assert sources == ["data:image/png", *["data:audio/mpeg"] * 3]
    assert "http" not in page


def test_what_cannot_be_explained_is_one_line(song, tmp_path, monkeypatch):
    for words, line in (
        ([str(song), "-o", "a.txt"], "-o a.txt: .html or .png"),
        ([str(song), "-k", str(tmp_path / "none.ckpt")], "none.ckpt is not a file"),
        ([str(tmp_path / "none.wav"), "-o", str(tmp_path / "x.png")], "none.wav: no such file"),
    ):
        with pytest.raises(SystemExit, match=line) as caught:
            main(words)
        assert "\n" not in str(caught.value)
    fcn = LogMelFCN(LogMelFCN.Config())
    monkeypatch.setattr("s3prl_pemr.load", lambda _: fcn)
    with pytest.raises(SystemExit, match="a LogMelFCN, which has no masks; PEMR has"):
        main([str(song), "-o", str(tmp_path / "x.png")])


@pytest.mark.skipif(BROWSER is None, reason="no Chromium: apt-get install chromium")
def test_in_a_browser_the_cursor_is_where_the_sound_is(song, tmp_path):
    assert main([str(song), "-o", str(tmp_path / "a.html")]) == 0
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=4000",
        "--dump-dom",
    ]
    done = subprocess.run(
        [*command, f"file://{tmp_path / 'a.html'}#t=4"], capture_output=True, text=True, timeout=120
    )
    lasting = re.findall(r'<button data-seconds="([\d.]+)"', done.stdout)
    assert len(lasting) == 3  # all three sounds can be decoded
    assert [float(seconds) for seconds in lasting] == pytest.approx([8.0] * 3, abs=0.1)
    left = float(re.search(r'id="cursor" style="left: ([\d.]+)%', done.stdout)[1])
    assert left == pytest.approx(100 * (0.06 + 0.93 * 4 / 8), abs=0.1)
