"""`prepare da-tacos` on a small imitation of Da-TACOS."""

import json

import pytest
import soundfile
from prepare_fixtures import error_line, noise

from s3prl_pemr.prepare.__main__ import main
from s3prl_pemr.store import AudioStore

# W_3 is a distractor of the benchmark, W_2 loses all versions but one
BENCHMARK = {"W_1": ["P_11", "P_12", "P_13"], "W_2": ["P_21", "P_22"], "W_3": ["P_31"]}
COVER_ANALYSIS = {"W_7": ["P_71", "P_72"]}
THERE = ("W_1/P_11", "W_1/P_13", "W_2/P_21", "W_3/P_31", "P_71", "P_72")


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "da-tacos"
    (root / "da-tacos_metadata").mkdir(parents=True)
    for subset, works in (("benchmark", BENCHMARK), ("coveranalysis", COVER_ANALYSIS)):
        metadata = {
            work: {name: {"work_id": work, "perf_id": name, "perf_title": "T"} for name in names}
            for work, names in works.items()
        }
        path = root / "da-tacos_metadata" / f"da-tacos_{subset}_subset_metadata.json"
        path.write_text(json.dumps(metadata))
    for number, name in enumerate(THERE):
        path = root / "audio" / f"{name}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise(0.3, number), 22_050)
    return root


def run(root, *options, store="STORE"):
    return main(["da-tacos", str(root), str(root.parent / store), "--jobs", "1", *map(str, options)])


def test_the_benchmark_keeps_its_distractors(root, capsys):
    assert run(root) == 0
    store = AudioStore(root.parent / "STORE")
    assert store.tracks == ["P_11", "P_13", "P_21", "P_31"]
    assert store.labels == [["W_1"], ["W_1"], ["W_2"], ["W_3"]] and set(store.splits) == {"test"}
    out = capsys.readouterr().out
    assert (
        "test: 3 of 3 works (100.0 %), 1 of them whole, and 4 of 6 versions (66.7 %) are kept; 1 works have "
        "lost all versions but one and are no queries; left out, no file: 2 versions"
    ) in out
    assert "6 versions of 3 works, not the 15000 of 3000 of Da-TACOS' benchmark subset" in out
    assert "left out, no id of the lists: 2 audio files of other names were seen" in out
    assert "WARNING: the splits are not whole" in out
    assert len((store.path / "left_out.tsv").read_text().splitlines()) == 3
    name = json.loads((store.path / "dataset.json").read_text())
    assert name == {"name": "da_tacos", "split": "benchmark, 4 of 6 versions found"}


def test_lone_versions_dropped_leave_the_distractors(root):
    assert run(root, "--lone", "drop") == 0
    assert AudioStore(root.parent / "STORE").tracks == ["P_11", "P_13", "P_31"]
    rows = (root.parent / "STORE/left_out.tsv").read_text()
    assert "test\tW_2\tP_21\tno other version of its work has a file\n" in rows


def test_the_cover_analysis_subset_to_train_on(root):
    assert run(root, "--subset", "coveranalysis", "--split", "train") == 0
    store = AudioStore(root.parent / "STORE")
    assert (store.tracks, store.splits) == (["P_71", "P_72"], ["train", "train"])


def test_what_is_wrong_is_one_line(root, capsys):
    metadata = root / "da-tacos_metadata/da-tacos_benchmark_subset_metadata.json"
    metadata.write_text('{"W_1": ["P_1"]}')
    assert run(root) == 1
    assert "benchmark_subset_metadata.json: damaged, or not the file of this name" in error_line(capsys)
    metadata.unlink()
    assert run(root) == 1
    assert "there is no da-tacos_benchmark_subset_metadata.json here, nor in da-tacos_meta" in error_line(
        capsys
    )
