"""The recipe for the excerpts that the weights were pretrained on: its tables, and a made-up package."""

import csv
import hashlib
import importlib
import os
import shutil
import subprocess
import zipfile

import numpy as np
import pytest
import soundfile
from places import ROOT

from s3prl_pemr.prepare.datasets.mtat import list_mtat
from s3prl_pemr.prepare.datasets.mtat_tables import read_annotations

RECIPE = ROOT / "recipes" / "game_music"
RATE, TRACK_SECONDS, PACKAGE = 44_100, 8, "made-up-music"
HEADER = "path\tpackage\tfile\tsha1\tbegin_seconds\tend_seconds\tlicence\tartist\ttitle"
needs_dpkg = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is not there")


def lines_of_the_table():
    with (RECIPE / "excerpts.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_table_is_well_formed():
    lines = lines_of_the_table()
    assert len(lines) == len({line["path"] for line in lines}) == 828
    for line in lines:
        assert None not in line and None not in line.values()
        assert float(line["begin_seconds"]) >= 0
        assert float(line["end_seconds"]) - float(line["begin_seconds"]) == pytest.approx(29.1)
        assert line["package"] and line["licence"] and not line["file"].startswith("/")
        assert len(bytes.fromhex(line["sha1"])) == 20
    assert len({(line["package"], line["file"]) for line in lines}) == len({line["sha1"] for line in lines})


def test_the_tables_list_the_same_excerpts():
    lines = {line["path"]: line for line in lines_of_the_table()}
    tags, rows = read_annotations(RECIPE / "annotations_final.csv")
    assert len(tags) == 33
    assert {row["mp3_path"] for row in rows} == set(lines)
    with (RECIPE / "clip_info_final.csv").open(encoding="utf-8", newline="") as file:
        clips = list(csv.DictReader(file, delimiter="\t"))
    assert [clip["mp3_path"] for clip in clips] == list(lines)
    for clip in clips:
        line = lines[clip["mp3_path"]]
        assert clip["track_number"] == line["sha1"]
        assert 0 <= float(line["begin_seconds"]) - int(clip["segmentStart"]) <= 1
    counts = {name: len([path for path in lines if path[0] in folders])
              for name, folders in (("train", "0123456789a"), ("valid", "c"), ("test", "d"))}  # fmt: skip
    assert counts == {"train": 704, "valid": 62, "test": 62}


def tone():
    """Two channels that differ: rising loudness at the left, so that a shifted excerpt is another one."""
    time = np.arange(TRACK_SECONDS * RATE) / RATE
    left = 0.8 * time / TRACK_SECONDS * np.sin(2 * np.pi * 440 * time)
    return np.stack([left, 0.1 * np.sin(2 * np.pi * 1000 * time)], axis=1)


def loud():
    time = np.arange(TRACK_SECONDS * RATE) / RATE
    return np.stack([0.9 * np.sin(2 * np.pi * 440 * time)] * 2, axis=1)


@pytest.fixture
def workplace(tmp_path):
    """Tables of four excerpts, and in `bin` an apt-get that has one package."""
    tree, tables, programs = tmp_path / "tree", tmp_path / "tables", tmp_path / "bin"
    for folder in (tree / "DEBIAN", tree / "usr/share/music", tables, programs):
        folder.mkdir(parents=True)
    control = (
        f"Package: {PACKAGE}\nVersion: 1:2-3\nArchitecture: all\nMaintainer: nobody\nDescription: tones\n"
    )
    (tree / "DEBIAN/control").write_text(control)
    music = tree / "usr/share/music"
    soundfile.write(music / "tone.wav", tone(), RATE, subtype="FLOAT")
    soundfile.write(music / "loud.wav", loud(), RATE, subtype="FLOAT")
    soundfile.write(music / "other.wav", tone(), RATE)
    with zipfile.ZipFile(music / "more.pk3", "w") as archive:
        archive.write(music / "loud.wav", "sound/loud.wav")
    (music / "loud.wav").unlink()
    if shutil.which("dpkg-deb"):
        package = programs / f"{PACKAGE}_1%3a2-3_all.deb"
        subprocess.run(["dpkg-deb", "-Znone", "-b", tree, package], check=True, capture_output=True)
    sha1 = hashlib.sha1((music / "tone.wav").read_bytes()).hexdigest()
    rows = [
        ("0/tone-1-4.opus", PACKAGE, "usr/share/music/tone.wav", sha1, "1.5", "4.5"),
        ("c/loud-1-4.opus", PACKAGE, "usr/share/music/more.pk3!sound/loud.wav", "0" * 40, "1", "4"),
        ("d/absent-1-4.opus", PACKAGE, "usr/share/music/absent.wav", sha1, "1", "4"),
        ("d/gone-1-4.opus", "gone-music", "usr/share/music/gone.wav", sha1, "1", "4"),
    ]
    lines = ["\t".join((*row, "CC0", "", 'The "Tone"')) for row in rows]
    (tables / "excerpts.tsv").write_text("\n".join([HEADER, *lines, ""]))
    cells = [
        "clip_id\ttitle\tartist\talbum\tmp3_path",
        *(f"{n}\t1\t0\t1\t{row[0]}" for n, row in enumerate(rows)),
    ]
    for name in ("annotations_final.csv", "clip_info_final.csv"):
        quoted = "".join('"' + cell.replace("\t", '"\t"') + '"\n' for cell in cells)
        (tables / name).write_text(quoted)
    program(
        programs / "apt-get",
        f'echo x >> "{tmp_path}/asked"\n'
        'cp "$(dirname "$0")/$3"_*.deb . 2> /dev/null && exit\n'
        'echo "E: Unable to locate package $3" >&2; exit 100',
    )
    return tmp_path


def program(path, script):
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def rebuild(workplace, monkeypatch, capsys):
    """Runs the recipe on the tables; returns its exit status and the lines it prints and reports."""
    monkeypatch.syspath_prepend(str(RECIPE))
    monkeypatch.setenv("TQDM_DISABLE", "1")
    main = importlib.import_module("rebuild").main

    def run(path=f"{workplace / 'bin'}{os.pathsep}{os.environ['PATH']}"):
        monkeypatch.setenv("PATH", path)
        monkeypatch.chdir(workplace)
        status = main(["data", "--packages", "cache", "--tables", "tables"])
        said = capsys.readouterr()
        return status, said.out.splitlines(), said.err.splitlines()

    return run


@needs_dpkg
def test_excerpts_are_cut_and_what_is_missing_is_named(workplace, rebuild):
    status, said, errors = rebuild()
    assert (status, len(said), errors) == (1, 4, [])
    assert said[0] == "missing: 1 excerpts of gone-music: apt-get download gone-music: " \
        "E: Unable to locate package gone-music"  # fmt: skip
    assert (
        "missing: 1 excerpts of made-up-music: usr/share/music/absent.wav: not in made-up-music_1" in said[1]
    )
    assert (
        "another version, taken all the same: made-up-music: usr/share/music/more.pk3!sound/loud.wav"
        in said[2]
    )
    assert said[3].startswith("2 of 4 excerpts")

    wav, rate = soundfile.read(workplace / "data/0/tone-1-4.flac")
    time = 1.5 + np.arange(3 * 16_000) / 16_000
    left = 0.8 * time / TRACK_SECONDS * np.sin(2 * np.pi * 440 * time)
    expected = (left + 0.1 * np.sin(2 * np.pi * 1000 * time)) / np.sqrt(2)
    assert rate == 16_000
    assert np.abs(wav - expected).max() < 1e-3  # of up to 0.39; a shift by one sample makes 0.05

    wav, _ = soundfile.read(workplace / "data/c/loud-1-4.flac")
    assert np.abs(wav).max() == pytest.approx(1, abs=1e-3)  # not 0.9 * sqrt(2), cut off

    listing = list_mtat(workplace / "data")
    assert [source.track for source in listing.sources[:2]] == ["0/tone-1-4.flac", "c/loud-1-4.flac"]
    assert not [path for path in (workplace / "cache").iterdir() if path.suffix != ".deb"]


@needs_dpkg
def test_what_is_there_is_neither_downloaded_nor_decoded_again(workplace, rebuild):
    rebuild()
    made = workplace / "data/0/tone-1-4.flac"
    made.write_bytes(b"not touched")
    (workplace / "data/c/loud-1-4.flac").unlink()
    (workplace / "bin" / f"{PACKAGE}_1%3a2-3_all.deb").unlink()
    asked = len((workplace / "asked").read_text().split())
    assert rebuild()[1][-1].startswith("2 of 4")
    assert made.read_bytes() == b"not touched"
    assert (workplace / "data/c/loud-1-4.flac").exists()
    assert len((workplace / "asked").read_text().split()) == asked + 1  # for gone-music alone


@needs_dpkg
def test_nothing_missing_is_success(workplace, rebuild):
    table = workplace / "tables/excerpts.tsv"
    table.write_text("\n".join(table.read_text().splitlines()[:3]) + "\n")
    status, said, _ = rebuild()
    assert (status, said[-1]) == (0, "2 of 2 excerpts are in data")


@pytest.mark.parametrize("name", ["apt-get", "dpkg-deb", "openmpt123"])
def test_a_missing_program_is_one_line(workplace, rebuild, name):
    table = workplace / "tables/excerpts.tsv"
    table.write_text(table.read_text().replace("tone.wav", "tone.xm"))
    few = workplace / "few"
    few.mkdir()
    for other in {"apt-get", "dpkg-deb", "openmpt123"} - {name}:
        program(few / other, "exit 1")
    status, said, (line,) = rebuild(str(few))
    assert (status, said) == (1, [])
    assert line.startswith(f"rebuild: the program {name} is not there: ")
    assert not (workplace / "data").exists()
