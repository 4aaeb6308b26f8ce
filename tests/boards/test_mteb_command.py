"""`s3prl-pemr mteb`, on tasks of a file."""

import io
import json
import sys

import numpy as np
import pytest
import soundfile
import soxr
from places import ROOT

pytest.importorskip("mteb")

from datasets import Audio, Dataset
from tiny_tasks import TinyCovers

from s3prl_pemr.boards.__main__ import main
from s3prl_pemr.boards.evaluation import read_items

TASKS = ROOT / "tests" / "boards" / "tiny_tasks.py"


def test_scores_and_items_are_kept_and_not_made_twice(tmp_path, capsys, monkeypatch):
    words = [f"{TASKS}:TinyCovers", f"{TASKS}:TinyTimbres", "-u", "fbank_no_cmvn", "--device", "cpu"]
    words += ["--pool", "mean_std", "--out", str(tmp_path)]
    assert main(words) == 0
    covers, timbres = capsys.readouterr().out.splitlines()
    entries = json.loads((tmp_path / "scores.json").read_text())
    score = entries["TinyCovers"]["splits"]["test"]["score"]
    assert covers == f"TinyCovers, test: ndcg_at_10 {score:.4f} (8 items of 4 works)"
    assert timbres.startswith("TinyTimbres, train: accuracy ") and timbres.endswith("(18 items of 18 clips)")
    for task, split in (("TinyCovers", "test"), ("TinyTimbres", "train")):
        values = [value for _, _, value in read_items(tmp_path, task, split)]
        expected = entries[task]["splits"][split]["score"]
        assert sum(values) / len(values) == pytest.approx(expected, abs=1e-5)
    assert entries["TinyCovers"]["splits"]["test"]["scores"]["default"]["ndcg_at_10"] == pytest.approx(score)
    (kept,) = tmp_path.glob("results/s3prl-pemr__fbank_no_cmvn/*/experiments/pool_mean_std/TinyCovers.json")
    assert json.loads(kept.read_text())["scores"]["test"][0]["main_score"] == pytest.approx(score)

    monkeypatch.setattr("mteb.evaluate", lambda *_, **__: pytest.fail("was there"))
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines() == [covers, timbres]


def in_files(table):
    """The same with wav files at 22.05 kHz instead of samples, as datasets keeps them."""
    rows = []
    for number, sound in enumerate(table["audio"]):
        file = io.BytesIO()
        soundfile.write(file, soxr.resample(np.array(sound["array"]), 16_000, 22_050), 22_050, format="WAV")
        rows.append({"bytes": file.getvalue(), "path": f"{number}.wav"})
    return Dataset.from_dict({"id": table["id"], "audio": rows}).cast_column("audio", Audio())


def test_mtebs_own_cover_task_on_data_in_its_form(tmp_path, monkeypatch, capsys):
    from mteb.tasks import Covers80A2ARetrieval

    tiny = TinyCovers()
    tiny.load_data()
    data = tiny.dataset["default"]["test"]
    files = {part: in_files(data[part]) for part in ("queries", "corpus")}
    pairs = [(query, document, 1) for query, found in data["relevant_docs"].items() for document in found]
    judged = dict(zip(("query-id", "corpus-id", "score"), zip(*pairs, strict=True), strict=True))
    tables = {**files, "qrels": Dataset.from_dict(judged)}
    lines = ["---", "configs:"]
    for part, table in tables.items():
        table.to_parquet(tmp_path / part / "test.parquet")
        lines += [
            f"- config_name: {part}",
            "  data_files:",
            "  - split: test",
            f"    path: {part}/test.parquet",
        ]
    (tmp_path / "README.md").write_text("\n".join([*lines, "---", ""]))
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    place = {"path": str(tmp_path), "revision": "main"}
    own = Covers80A2ARetrieval.metadata.model_copy(update={"dataset": place})
    monkeypatch.setattr(Covers80A2ARetrieval, "metadata", own)
    words = [
        "Covers80A2ARetrieval",
        "--cover-model",
        "ftm2d",
        "--device",
        "cpu",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(words) == 0
    told = "Covers80A2ARetrieval, test: ndcg_at_10 1.0000 (8 items of 4 works)\n"
    assert capsys.readouterr().out == told
    assert main([*words, "--aligned", "3"]) == 0  # another model: not what is there
    assert capsys.readouterr().out == told
    entry = json.loads((tmp_path / "out" / "scores.json").read_text())["Covers80A2ARetrieval"]
    assert entry["made_by"]["options"] == {"aligned": 3}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["GTZANGenere"], "GTZANGenere: mteb .* has no such task; did you mean GTZANGenre?"),
        (["STS12"], "STS12: is of text; our models hear sound alone"),
        ([f"{TASKS}:TinyWords"], "TinyWords: is of text, audio; our models hear sound alone"),
        ([f"{TASKS}:Nothing"], "tiny_tasks.py: has no class Nothing"),
        (["none.py:Task"], "none.py: no such file; a task of one's own is FILE.py:CLASS"),
        (["GTZANGenre", "-u", "none_such"], "-u none_such: unknown upstream"),
        (["GTZANGenre", "--aligned", "3"], "--aligned is of --cover-model, not of upstreams"),
        (["GTZANGenre", "--cover-model", "ftm2d", "--aligned", "0"], "a number of candidates, at least 1"),
        (["GTZANGenre", "--cover-model", "ready", "--layer", "3"], "--layer, --pool and --piece are of up"),
    ],
)
def test_what_cannot_be_done_is_one_line(words, line, tmp_path):
    with pytest.raises(SystemExit, match=line) as caught:
        main([*words, "--out", str(tmp_path / "out")])
    assert "\n" not in str(caught.value)


def test_data_that_cannot_be_loaded_is_one_line(tmp_path, monkeypatch):
    from mteb.tasks import GTZANGenre

    def fail(self, **_):
        raise ConnectionError("no\nnetwork")

    monkeypatch.setattr(GTZANGenre, "load_data", fail)
    with pytest.raises(SystemExit, match="GTZANGenre: its data cannot be loaded: no network"):
        main(["GTZANGenre", "-u", "fbank_no_cmvn", "--device", "cpu", "--out", str(tmp_path)])


def test_without_mteb_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "mteb", None)
    with pytest.raises(SystemExit, match=r"boards need mteb: pip install 's3prl-pemr\[mteb\]'"):
        main(["GTZANGenre", "--out", str(tmp_path)])
