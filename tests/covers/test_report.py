"""A page that can be heard, and a table: what identify finds, for people and for programs."""

import re
import shutil
import subprocess

import pytest
import soundfile
from cover_store import polyphony, version

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
RATE = 16_000
# says in the page's own text how long each sound lasts, once it is decoded
TELL = """<script>for (const sound of document.querySelectorAll('audio'))
  sound.onloadedmetadata = () => sound.dataset.seconds = sound.duration.toFixed(2);</script>"""


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    for work in range(16):
        soundfile.write(folder / f"{work}<b>.wav", polyphony(35, RATE, work), RATE)
    soundfile.write(folder / "live.wav", version(3, 1, 35), RATE)
    return folder


@pytest.fixture(scope="module")
def query(tmp_path_factory):
    path = tmp_path_factory.mktemp("query") / "other & key.wav"
    soundfile.write(path, version(3, 2, 30), RATE)
    return path


@pytest.fixture(scope="module")
def index(music, tmp_path_factory):
    from s3prl_pemr.covers.__main__ import main

    path = tmp_path_factory.mktemp("index") / "INDEX"
    assert main(["embed", str(music), str(path), "--device", "cpu", "--jobs", "1"]) == 0
    return path


@pytest.fixture
def page(query, index, music, run, tmp_path):
    command = ("report", query, index, music, "-o", tmp_path / "page.html", "--top", 2, "--device", "cpu")
    assert run(*command)[0] == 0
    return tmp_path / "page.html"


def test_a_page_needs_no_other_file_and_escapes_names(page):
    text = page.read_text()
    assert set(re.findall(r'src="(\w+):', text)) == {"data"} and "href" not in text
    assert text.count("<section>") == 2 and text.count("<audio") == 4 and text.count("<img") == 2
    assert "What other &amp; key.wav may be a cover of" in text and "<b>" not in text
    assert "Unrelated tracks are as good as the first with a chance of" in text
    assert {re.search("<h2>1. (.*?)</h2>", text)[1]} <= {"3&lt;b&gt;.wav", "live.wav"}


@pytest.mark.skipif(BROWSER is None, reason="no Chromium: apt-get install chromium")
def test_a_browser_decodes_all_sounds(page):
    page.write_text(page.read_text().replace("</body>", f"{TELL}</body>"))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=4000", "--dump-dom"]
    done = subprocess.run([BROWSER, *flags, f"file://{page}"], capture_output=True, text=True, timeout=120)
    seconds = [float(found) for found in re.findall(r'data-seconds="([\d.]+)"', done.stdout)]
    assert len(seconds) == 4 and all(5 < lasting < 30.5 for lasting in seconds)


def test_what_is_wrong_is_one_line(query, index, music, run, tmp_path):
    out = ("-o", tmp_path / "page.html", "--device", "cpu")
    for words, line in (
        (("report", query, index, tmp_path, *out), "MUSIC is the folder that INDEX is of"),
        (("report", query, index, music, "--top", 0, *out), "--top must be at least 1"),
        (("report", tmp_path / "no.wav", index, music, *out), "no.wav: no such file"),
    ):
        with pytest.raises(SystemExit, match=f"^error: .*{line}") as caught:
            run(*words)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "page.html").exists()


def test_a_table_of_answers(query, index, run):
    _, out, _ = run("identify", query, index, "--tsv", "--top", 2, "--device", "cpu")
    header, first, second = (line.split("\t") for line in out.splitlines())
    assert header[:4] == ["query", "rank", "track", "score"] and len(first) == len(second) == len(header)
    found = dict(zip(header, first, strict=True))
    assert found["query"].endswith("other & key.wav") and found["rank"] == "1"
    assert found["track"] in ("3<b>.wav", "live.wav")
    assert float(found["score"]) > float(second[3]) and -6 <= int(found["semitones"]) <= 5
    assert 0 <= float(found["query_from"]) < float(found["query_to"]) <= 31


def test_groups_of_a_folder(music, run):
    status, out, err = run("duplicates", music, "--json", "--device", "cpu")
    assert status == 0 and "17 tracks, 17 of them new" in err
    assert out == '[["3<b>.wav", "live.wav"]]\n'
