"""Names as the world has them: two Unicode forms, other separators and folders, what a terminal obeys."""

import shutil
import unicodedata

import mtat_fixtures
import pytest
import soundfile
from mtat_fixtures import CLIPS, write_table
from prepare_fixtures import error_line, noise

from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.prepare.datasets.covers.covers80 import list_covers80
from s3prl_pemr.prepare.datasets.gtzan import list_named
from s3prl_pemr.prepare.datasets.mtat import list_mtat
from s3prl_pemr.store import AudioStore

mtat = mtat_fixtures.root
EVIL, SHOWN = "\x1b[31m\x07red\r\u202e\x9b.wav", r"\x1b[31m\x07red\r\u202e\x9b.wav"


def nfc(text):
    return unicodedata.normalize("NFC", text)


def nfd(text):
    return unicodedata.normalize("NFD", text)


def add(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / name, noise(0.2), 22_050, format="MP3" if name.endswith("mp3") else None)
    return root


def run(command, root, *options):
    return main([command, str(root), str(root.parent / "STORE"), "--jobs", "1", *map(str, options)])


@pytest.fixture
def music(tmp_path):
    return add(tmp_path / "SRC", nfd("Beyoncé/Déjà Vu.wav"), nfc("Café.wav"), "a/b.wav", "a/c.wav", "d.wav")


def labels_of(root):
    store = AudioStore(root.parent / "STORE")
    return {track: labels for track, labels in zip(store.tracks, store.labels, strict=True) if labels}


def test_labels_match_in_another_spelling(music, tmp_path, capsys):
    table = tmp_path / "labels.tsv"
    paths = [nfc("Beyoncé/Déjà Vu.wav"), nfd("Café.wav"), "a\\b.wav", f"{music}/a/c.wav", "./d.wav"]
    table.write_text("".join(f"{path}\tlabel {i}\n" for i, path in enumerate(paths)), encoding="utf-8")
    assert run("folder", music, "--labels", table) == 0
    names = [nfd("Beyoncé/Déjà Vu.wav"), nfc("Café.wav"), "a/b.wav", "a/c.wav", "d.wav"]
    assert labels_of(music) == {name: [f"label {i}"] for i, name in enumerate(names)}
    out = capsys.readouterr().out
    assert f"4 of 5 paths of {table} that were found are spelt otherwise than the files" in out
    assert "have no label" not in out and "not among the audio files" not in out


def test_labels_that_can_be_two_files_are_refused(music, tmp_path, capsys):
    add(music, nfc("Beyoncé/") + nfd("Déjà Vu.wav"))
    (tmp_path / "labels.tsv").write_text(nfc("Beyoncé/Déjà Vu.wav") + "\tpop\n", encoding="utf-8")
    assert run("folder", music, "--labels", tmp_path / "labels.tsv") == 1
    assert "Beyoncé/Déjà Vu.wav can be 2 files that differ in their Unicode form" in error_line(capsys)


@pytest.mark.parametrize("text", ["", "path\tlabel\n", "music/a/b.wav\tx\nd.mp3\ty\n"])
def test_labels_that_match_no_file_are_an_error(music, tmp_path, capsys, text):
    (tmp_path / "labels.tsv").write_text(text)
    assert run("folder", music, "--labels", tmp_path / "labels.tsv") == 1
    line = error_line_with_names(capsys)
    paths = "2 paths (music/a/b.wav | d.mp3)" if "music" in text else "0 paths"
    assert f"labels.tsv: none of its {paths} is one of the 5 audio files of {music} (Beyonc" in line
    assert line.endswith("paths are relative to SRC") and not (tmp_path / "STORE").exists()


def error_line_with_names(capsys):
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("prepare: ")]
    return line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\na/b.wav,x\n", "line 1 has 1 columns; it should be path<TAB>label|label"),
        ("path,label\na/b.wav,x\n", "its commas separate no columns: tabs do"),
        ("a/b.wav;x\n", "its semicolons separate no columns: tabs do"),
    ],
)
def test_labels_with_another_separator(music, tmp_path, capsys, text, message):
    (tmp_path / "labels.csv").write_text(text)
    assert run("folder", music, "--labels", tmp_path / "labels.csv") == 1
    assert message in error_line_with_names(capsys)


@pytest.mark.parametrize("quote", ['"', ""])
def test_annotations_with_commas(mtat, capsys, quote):
    table = mtat / "annotations_final.csv"
    text = table.read_text(encoding="utf-8").replace("\t", ",")
    table.write_text(text.replace('"', quote), encoding="utf-8")
    assert run("mtat", mtat) == 1
    assert "its commas separate no columns: tabs do" in error_line(capsys)


def test_annotations_match_in_another_spelling(mtat, capsys):
    file = next(mtat.glob("b/*.mp3"))
    assert file.name == nfc(file.name)
    file.rename(file.with_name(nfd(file.name)))
    write_table(mtat, [(name.replace("c/c", "c\\c"), tags) for name, tags in CLIPS.items()])
    assert run("mtat", mtat) == 0
    assert AudioStore(mtat.parent / "STORE").tracks == [nfd(name) for name in CLIPS]
    assert AudioStore(mtat.parent / "STORE").splits == ["train", "train", "valid", "test", "test"]
    out = capsys.readouterr().out
    assert "2 of 5 paths of" in out and "are not in annotations_final.csv" not in out


def test_annotated_audio_below_another_folder(mtat, capsys):
    for name in CLIPS:
        (mtat / "mp3" / name).parent.mkdir(parents=True)
        shutil.move(mtat / name, mtat / "mp3" / name)
    assert run("mtat", mtat) == 1
    line = error_line_with_names(capsys)
    assert "none of the 5 listed files is there; 5 audio files of other names were seen, for instance" in line
    assert "mp3/0/a-b-01-x.mp3" in line and not (mtat.parent / "STORE").exists()


def test_what_a_data_set_leaves_out_is_named(mtat):
    add(mtat, ".extra/x.wav", "0/.y.mp3")
    (mtat / "lost").symlink_to(mtat / "nowhere")
    remarks = list_mtat(mtat).remarks
    assert "1 links lead nowhere: lost" in remarks
    assert "2 audio files are not in annotations_final.csv and left out: .extra/x.wav | 0/.y.mp3" in remarks


def test_gtzan_under_other_names(tmp_path, capsys):
    root = add(tmp_path / "gtzan", *(f"data/genres/blues/blues.{number:05}.wav" for number in range(12)))
    assert run("gtzan", root) == 1
    line = error_line_with_names(capsys)
    assert "there is no GENRE/*.wav or GENRE/*.au here" in line
    assert (
        "12 audio files of other names were seen, for instance data/genres/blues/blues.00000.wav | " in line
    )
    add(root, "genres/blues/blues.00000.wav", "genres/blues/.5: blues.wav")
    remarks = list_named(root).remarks
    assert any(line.startswith("left out: 12 audio files of other names were seen") for line in remarks)
    assert "1 tracks are in no list and left out: .5: blues" in remarks


def test_gtzan_lists_in_another_spelling(tmp_path, capsys):
    root = add(tmp_path / "gtzan", nfd("fado/café.wav"), "fado/b.wav", "fado/c.wav")
    for split, line in (
        ("train", nfc("fado/café.wav")),
        ("valid", "fado\\b.wav"),
        ("test", f"{root}/fado/c.wav"),
    ):
        (root / f"{split}_filtered.txt").write_text(line, encoding="utf-8")
    assert run("gtzan", root, "--lists", root) == 0
    store = AudioStore(tmp_path / "STORE")
    assert dict(zip(store.tracks, store.splits, strict=True)) == {
        nfd("café"): "train",
        "b": "valid",
        "c": "test",
    }
    assert "1 of 3 paths of" in capsys.readouterr().out
    (root / "test_filtered.txt").write_text("fado/c.wav,fado\n")
    assert run("gtzan", root, "--lists", root) == 1
    assert "its commas separate no columns" in error_line(capsys)


def test_covers80_lists_in_another_spelling(tmp_path):
    root = add(tmp_path / "covers", nfd("Á/é.mp3"), "B/x.mp3", "Á/ó.mp3", "B/y.mp3", "deep/er/z.mp3")
    (root / "list1.list").write_text(nfc("Á/é") + "\nB\\x\n", encoding="utf-8")
    (root / "list2.list").write_text(f"{nfd('Á/ó')}\n{root}/B/y.mp3\n", encoding="utf-8")
    listing = list_covers80(root)
    assert [source.track for source in listing.sources] == [nfd("Á/é"), "B/x", "Á/ó", "B/y"]
    assert all(source.path.exists() for source in listing.sources)
    assert any(line.startswith(f"2 of 4 paths of {root}") for line in listing.remarks)
    seen = "1 audio files of other names were seen, for instance deep/er/z.mp3"
    assert f"left out: {seen}" in listing.remarks


def test_covers80_under_other_names(tmp_path, capsys):
    root = add(tmp_path / "covers", "wav/Song/a.wav")
    assert run("covers80", root) == 1
    assert "1 audio files of other names were seen, for instance wav/Song/a.wav" in error_line(capsys)


def test_shs100k_under_other_names(tmp_path, capsys):
    root = add(tmp_path / "shs", "wavs/0_0.wav")
    (root / "SHS100K-TEST").write_text("0\t0\n0\t1\n")
    assert run("shs100k", root) == 1
    line = error_line(capsys)
    assert "--audio FOLDER; below " in line and "for instance wavs/0_0.wav" in line
    add(root, *(f"audio/video {number}.wav" for number in range(12)))
    assert run("shs100k", root) == 1
    line = error_line_with_names(capsys)
    assert "audio: none of the 2 listed files is there; 12 audio files of other names were seen" in line
    add(root, "audio/0_0.wav")
    assert run("shs100k", root) == 0
    out = capsys.readouterr().out
    assert "left out, not the SET_VER of the lists: 12 audio files of other names were seen" in out
    (root / "SHS100K-TEST").write_text("0,0\n")
    assert run("shs100k", root) == 1
    assert "SET<TAB>VER or SET_VER; its commas separate no columns: tabs do" in error_line(capsys)


def test_nothing_that_is_printed_is_obeyed(tmp_path, capsys):
    root = add(tmp_path / "S\x1bRC", EVIL, "ok.wav")
    (root / f"cut {EVIL}").write_text("no audio")
    (root / "._\x1b").touch()
    (root / "notes\x07.txt\x1b").touch()
    (root / "lost\u2028").symlink_to(root / "nowhere")
    (tmp_path / "labels.tsv").write_text("ok.wav\tx\nno\x1b.wav\ty\n")
    assert run("folder", root, "--labels", tmp_path / "labels.tsv") == 0
    printed = "".join(capsys.readouterr())
    assert f"cut {SHOWN}: not audio" in printed and r"no\x1b.wav" in printed and r"lost\u2028" in printed
    assert AudioStore(tmp_path / "STORE").tracks == [EVIL, "ok.wav"]  # the store has the name itself
    (root / "ok.wav").unlink()
    assert run("folder", root) == 1
    (tmp_path / "labels.tsv").write_text("x\x1b\n")
    assert run("folder", root, "--labels", tmp_path / "labels.tsv") == 1
    assert run("folder", tmp_path / "gone\x1b") == 1
    printed += capsys.readouterr().err
    assert r"S\x1bRC" in printed and r"gone\x1b: not a folder" in printed
    bar = printed.replace("\r", "").replace("\x1b[A", "").replace("\n", "")  # tqdm's own
    assert bar.isprintable(), [c for c in bar if not c.isprintable()]
