"""Names in s3prl-pemr covers: lists in another spelling, files that are passed over, what a terminal obeys.

The model is a stand-in: nothing here depends on it.
"""

import re
import unicodedata

import numpy as np
import pytest
import soundfile
from written import write_index

from s3prl_pemr.covers import embed, identify
from s3prl_pemr.covers.__main__ import main
from s3prl_pemr.covers.index import read_index
from s3prl_pemr.covers.track import Known

EVIL, SHOWN = "\x1b[31m\x07\r\u202e\x9b.wav", r"\x1b[31m\x07\r\u202e\x9b.wav"
MADE_BY = {"checkpoint": "x"}


def known(embedding):
    chroma = np.eye(12, 20, dtype=np.uint8)
    return Known(np.asarray(embedding, np.float32), chroma, np.zeros((0, len(embedding)), np.float16))


class Model:
    fingerprint = MADE_BY
    where = "m.ckpt"
    device = "cpu"

    def know(self, heard, name):
        return known([1, 1])

    def trust(self):
        return ""


@pytest.fixture
def index(tmp_path):
    """Two works, two versions each; one name decomposed."""

    def index(*tracks):
        embeddings = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9]], np.float32)[: len(tracks)]
        stamps = np.zeros((len(tracks), 2), np.int64)
        write_index(tmp_path / "INDEX", tracks, map(known, embeddings), stamps, MADE_BY, "m.ckpt")
        return tmp_path / "INDEX"

    return index


def test_a_list_in_another_spelling(index, tmp_path, capsys):
    nfc = "Beyonc\u00e9/1.mp3"
    path = index(unicodedata.normalize("NFD", nfc), "x/2.mp3", "x/3.mp3", "4.mp3")
    (tmp_path / "list.tsv").write_text(
        f"{nfc}\ta\nx\\2.mp3\ta\n/music/mine/x/3.mp3\tb\n4.mp3\tb\n", encoding="utf-8"
    )
    assert main(["evaluate", str(path), str(tmp_path / "list.tsv")]) == 0
    out, err = capsys.readouterr()
    assert "list: MAP 1.0000" in out and "4 queries of 2 works among 4 tracks" in out
    assert f"3 of 4 paths of {tmp_path / 'list.tsv'} that were found are spelt otherwise" in err
    assert "not in the index" not in err


def test_a_list_of_which_nothing_is_in_the_index(index, tmp_path):
    path = index("a.mp3", "b\x1b.mp3")
    (tmp_path / "list.tsv").write_text("music/a.wav\tw\nmusic/b\x07.wav\tw\n")
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", str(path), str(tmp_path / "list.tsv")])
    assert str(caught.value).endswith(
        r"INDEX; it has music/a.wav | music/b\x07.wav, the index a.mp3 | b\x1b.mp3"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.mp3,w\nb.mp3,w\n", "line 1 has 1 columns.*its commas separate no columns: tabs do"),
        ("a.mp3\tw\n./a.mp3\tw\n", "line 2 lists a.mp3 for the second time"),
        ("a.mp3\tw\n/m/a.mp3\tw\n", "a.mp3 and /m/a.mp3 are one file in two spellings"),
    ],
)
def test_lists_that_are_refused(index, tmp_path, text, message):
    path = index("a.mp3", "b.mp3")
    (tmp_path / "list.tsv").write_text(text)
    with pytest.raises(SystemExit, match=f"^error: .*{message}"):
        main(["evaluate", str(path), str(tmp_path / "list.tsv")])


def test_what_embed_passes_over_and_prints(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(embed, "open_model", lambda *_: Model())
    root = tmp_path / "SRC"
    (root / ".5: The Gray Chapter").mkdir(parents=True)
    soundfile.write(root / ".5: The Gray Chapter" / "1.wav", np.full(8000, 0.1), 16_000)
    soundfile.write(root / EVIL, np.zeros(8000), 16_000)
    (root / f"cut{EVIL}").write_text("no audio")
    (root / "._1.wav").touch()
    (root / "lost").symlink_to(root / "nowhere")
    command = ["embed", str(root), str(tmp_path / "INDEX"), "--model", "m.ckpt", "--jobs", "1"]
    assert main(command) == 0
    assert ".5: The Gray Chapter/1.wav" in read_index(tmp_path / "INDEX").tracks
    out, err = capsys.readouterr()
    assert "1 AppleDouble files, left out: ._1.wav" in err and "1 links lead nowhere: lost" in err
    assert f"cut{SHOWN}: not audio" in err
    assert not re.search("[\x1b\x07\x9b\u202e]", (out + err).replace("\x1b[A", ""))


def test_identify_prints_no_name_raw(index, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(identify, "open_model", lambda *_: Model())
    path = index(EVIL)
    soundfile.write(tmp_path / "query.wav", np.full(8000, 0.1), 16_000)
    assert main(["identify", str(tmp_path / "query.wav"), str(path), "--model", "m.ckpt"]) == 0
    assert capsys.readouterr().out.split()[2] == SHOWN
    with pytest.raises(SystemExit) as caught:
        main(["identify", str(tmp_path / EVIL), str(path)])
    assert str(caught.value) == f"error: {tmp_path}/{SHOWN}: no such file"
