"""Rows for real: filter banks, a HuBERT and a layer of a MERT that are made here."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import yaml
from labelled_store import make_store
from places import ROOT
from tiny_models import mert_folder
from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor


@pytest.fixture
def plan(tmp_path):
    """A plan of three rows on 24 clips of high and low tones, with a tiny HuBERT and MERT."""
    rng = np.random.default_rng(0)
    tracks = {}
    for number in range(24):
        hz = rng.uniform(200, 400) * (1 + 4 * (number % 2))
        wav = 0.3 * np.sin(2 * np.pi * hz * np.arange(16_000) / 16_000)
        split = ("train", "valid", "test")[number // 2 % 3]
        tracks[f"clip{number}"] = (["high" if number % 2 else "low"], split, wav)
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16, "num_hidden_layers": 1}
    layers = {"conv_dim": [8] * 7, "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}
    HubertModel(HubertConfig(**sizes, **layers)).save_pretrained(tmp_path / "hubert")
    Wav2Vec2FeatureExtractor().save_pretrained(tmp_path / "hubert")
    mert_folder(tmp_path / "mert")
    short = {"config.runner.total_steps": 4, "config.runner.eval_step": 4, "config.runner.save_step": 4}
    content = {
        "title": "Three rows", "reference": "filter banks", "seeds": [1],
        "stores": {"tones": str(make_store(tmp_path / "tones", tracks))},
        "tasks": {"tagging": {"store": "tones", "config": "config_demo.yaml", "settings": short}},
        "rows": [
            {"name": "filter banks", "upstream": "fbank_no_cmvn"},
            {"name": "HuBERT", "upstream": "hf_hubert_custom", "checkpoint": str(tmp_path / "hubert")},
            {"name": "MERT", "upstream": "mert_local", "checkpoint": str(tmp_path / "mert"), "layer": 1},
        ],
    }  # fmt: skip
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "plan.yaml"


def test_interrupted_and_again(plan, tmp_path):
    command = [sys.executable, "-m", "s3prl_pemr", "compare", str(plan), "--out", str(tmp_path / "out")]
    settings = {
        "cwd": ROOT, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
        "env": os.environ | {"OMP_NUM_THREADS": "1"},
    }  # fmt: skip
    process = subprocess.Popen(command, **settings)
    first = tmp_path / "out" / "heads" / "tagging" / "filter-banks-seed1"
    for _ in range(600):
        if (first / "head" / "args_last.yaml").exists():
            break
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 143, error
    assert "of 3 cells are done; the same command again goes on" in error

    done = subprocess.run([*command, "--jobs", "2"], **settings)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "results.tsv").open() as file:
        rows = {row["row"]: row for row in csv.DictReader(file, delimiter="\t") if row["metric"] == "roc_auc"}
    assert set(rows) == {"filter banks", "HuBERT", "MERT"}
    assert all(0 <= float(row["mean"]) <= 1 and row["counted"] == "8" for row in rows.values())
    assert int(rows["HuBERT"]["parameters"]) > 1000
    assert float(rows["HuBERT"]["peak_gb"]) > 0.1
    layers = {}
    for path in (tmp_path / "out" / "features").glob("*/identity.json"):
        identity = json.loads(path.read_text())
        kept = {len(np.load(file).files) for file in path.parent.rglob("*.npz")}
        layers[identity["upstream"]] = (identity.get("layer"), kept)
    assert layers["mert_local"] == (1, {1})
    assert layers["hf_hubert_custom"] == (None, {2})
