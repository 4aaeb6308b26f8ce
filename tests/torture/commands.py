"""The commands that are tortured: small runs, what their folders hold when they are done, how they go on."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
import yaml
from forked import run
from pretraining_fixtures import MODEL, melody
from pretraining_runs import runner_config

from s3prl_pemr.index import open_index

TAGS = ("a", "b")


@dataclass
class Case:
    """A command in a folder; `again` is what goes on after a fault."""

    name: str
    words: list[str]
    again: list[str]
    result: str  # the folder below, of which `state` is compared

    def state(self, folder: Path) -> dict:
        """All that has to be the same, whatever happened before."""
        paths = sorted(compared(folder / self.result))
        return {path.relative_to(folder).as_posix(): content(path) for path in paths}


def compared(folder: Path):
    """Files that hold results: no logs of events, locks, command lines, caches."""
    other = ("events.out", "log.txt", "run.json", "run.lock", "prepare.lock", "args_", ".INDEX")
    inside = {"features", "segments"}  # a cache; of an index: its index.json stands for them
    files = (path for path in folder.rglob("*") if path.is_file() and not inside & set(path.parts))
    return (path for path in files if not path.name.startswith(other))


def content(path: Path):
    """What a file holds, so that two can be compared."""
    if path.suffix == ".ckpt":
        states = torch.load(path, weights_only=True)
        states.pop("Args", None)
        return states
    if path.suffix == ".npz":
        with np.load(path) as file:
            return {name: torch.from_numpy(file[name].copy()) for name in file.files if name != "about"}
    if path.name == "index.json":
        return rows_by_name(path.parent)
    if path.name == "log.jsonl":
        lines = map(json.loads, path.read_text().splitlines())
        return [{name: value for name, value in line.items() if name != "clips_per_second"} for line in lines]
    return path.read_bytes()


def rows_by_name(folder: Path):
    """What an index has of each track: segments depend on when it was interrupted."""
    index = open_index(folder)
    arrays = ("vectors", "stamps", "chroma", "pieces")
    return {
        name: {array: torch.from_numpy(np.array(index.get(array, row))) for array in arrays}
        for row, name in enumerate(index.names())
    }


def music(folder: Path, tracks: int, seed: int = 0, splits=("train", "train", "valid")) -> None:
    """Short made-up tracks, and labels.tsv with tags and splits."""
    folder.mkdir(parents=True)
    rng, lines = np.random.default_rng(seed), []
    for number in range(tracks):
        name = f"{number:02d}.wav"
        soundfile.write(folder / name, melody(rng, rng.uniform(0.6, 1.2)), 16_000)
        tags = "|".join(tag for bit, tag in enumerate(TAGS) if (number // len(splits) >> bit) & 1) or "c"
        lines.append(f"{name}\t{tags}\t{splits[number % len(splits)]}\n")
    (folder / "labels.tsv").write_text("".join(lines))


def make_inputs(folder: Path) -> None:
    """What the commands read: music, its store, configs, a cover network."""
    music(folder / "SRC", 12)
    store = folder / "STORE"
    labels = folder / "SRC/labels.tsv"
    done(run(["prepare", "folder", folder / "SRC", store, "--labels", labels, "--jobs", 1], folder))
    config = runner_config(str(store))
    config["runner"] |= {"n_epochs": -1, "total_steps": 2, "save_step": 1, "max_keep": 1, "log_step": 1}
    config["runner"] |= {"picture_step": 0, "keep_every_epochs": 0}
    config["pretrain_expert"]["datarc"] |= {"crop_samples": 4_000, "train_batch_size": 2}
    (folder / "runner.yaml").write_text(yaml.safe_dump(config))
    (folder / "model.yaml").write_text(yaml.safe_dump(MODEL))
    done(run([*cover_words(folder), "-p", folder / "covers"], folder))
    words = ["covers", "embed", folder / "SRC", folder / "INDEX", "--jobs", 1, "--device", "cpu"]
    done(run(words, folder))
    short = {f"config.runner.{key}_step": 2 for key in ("eval", "save", "log")} | {
        "config.runner.total_steps": 2
    }
    tagging = {"store": "music", "config": "config_demo.yaml", "settings": short, "splits": ["dev"]}
    row = {"name": "filter banks", "upstream": "fbank_no_cmvn"}
    plan = {"title": "One row", "reference": row["name"], "seeds": [1], "stores": {"music": str(store)}}
    plan |= {"tasks": {"tagging": tagging}, "rows": [row]}
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan))
    (folder / "compared").mkdir()
    done(run(["compare", folder / "plan.yaml", "--out", "run"], folder / "compared"))


def done(outcome) -> None:
    """A command without a fault."""
    assert outcome.status == 0, outcome.printed


def cover_words(inputs: Path) -> list[str]:
    """A step of Ki-Net on the works that the tags make."""
    prefix = "config.downstream_expert"
    works = inputs / "WORKS"
    if not works.exists():
        music(inputs / "COVERS", 6)
        lines = [f"{n:02d}.wav\twork{n // 2}\t{'train' if n < 4 else 'valid'}\n" for n in range(6)]
        (inputs / "COVERS/labels.tsv").write_text("".join(lines))
        labels = inputs / "COVERS/labels.tsv"
        done(run(["prepare", "folder", inputs / "COVERS", works, "--labels", labels, "--jobs", 1], inputs))
    settings = [f"config.runner.{key}=1" for key in ("eval_step", "save_step", "log_step", "max_keep")]
    settings += ["config.runner.total_steps=2", f"{prefix}.datarc.store={works}"]
    settings += [f"{prefix}.modelrc.kind=kinet"]
    settings += [f"{prefix}.datarc.crop_columns=[10]", f"{prefix}.datarc.cqt_jobs=1"]
    words = ["downstream", "-m", "train", "-u", "fbank_no_cmvn", "-d", "cover_song", "--device", "cpu"]
    return [*words, "-o", ",,".join(settings)]


def cases(inputs: Path) -> dict[str, Case]:
    """By name; their folders are made by `begin`."""
    pretrain = ["pretrain", "-u", "pemr", "--device", "cpu", "-p", "run", "-a", "-c", inputs / "runner.yaml"]
    pretrain += ["-g", inputs / "model.yaml"]
    settings = [f"config.runner.{key}=1" for key in ("eval_step", "save_step", "log_step", "max_keep")]
    settings += ["config.runner.total_steps=2", f"config.downstream_expert.datarc.store={inputs / 'STORE'}"]
    settings += ["config.downstream_expert.datarc.train_batch_size=4"]
    tagging = ["downstream", "-m", "train", "-u", "fbank_no_cmvn", "-d", "music_tagging", "--device", "cpu"]
    tagging += ["-p", "run", "-a", "-o", ",,".join(settings)]
    covers = [*cover_words(inputs), "-p", "run", "-a"]
    index = ["covers", "embed", "SRC", "run/INDEX", "--model", inputs / "covers/dev-best.ckpt"]
    index += ["--jobs", 1, "--device", "cpu"]
    asked = [inputs / "SRC/03.wav", inputs / "INDEX"]
    scan = ["covers", "scan", *asked, "--device", "cpu", "--cue", "run/scan.cue"]
    page = ["covers", "report", *asked, inputs / "SRC", "--device", "cpu", "-o", "run/page.html"]
    vectors = ["embed", "SRC", "run", "-u", "fbank_no_cmvn", "--jobs", 1, "--device", "cpu"]
    table = [*vectors[:2], "run/vectors.npy", *vectors[3:]]
    compare = ["compare", inputs / "plan.yaml", "--out", "run"]
    prepare = ["prepare", "folder", "SRC", "run", "--jobs", 1]
    workers = [*prepare[:-1], 3]
    read_by_others = [*pretrain, "-o", "config.pretrain_expert.datarc.num_workers=2"]
    listed = [
        Case("prepare", prepare, prepare, "run"),
        Case("prepare_changed", prepare, prepare, "run"),
        Case("prepare_workers", workers, workers, "run"),
        Case("pretrain", pretrain, pretrain, "run"),
        Case("pretrain_workers", read_by_others, read_by_others, "run"),
        Case("tagging", tagging, tagging, "run"),
        Case("cover_song", covers, covers, "run"),
        Case("covers_embed", index, index, "run"),
        Case("covers_embed_workers", [*index, "--jobs", 2], [*index, "--jobs", 2], "run"),
        Case("scan", scan, scan, "run"),
        Case("report", page, page, "run"),
        Case("embed", vectors, vectors, "run"),
        Case("embed_table", table, table, "run"),
        Case("compare", compare, compare, "run"),
    ]
    return {case.name: case for case in listed}


def begin(case: Case, folder: Path, inputs: Path) -> None:
    """A new folder in which the command has not begun; one before it, where there was one, is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if case.name == "compare":
        shutil.copytree(inputs / "compared/run", folder / "run", ignore=shutil.ignore_patterns("re*.*"))
        return
    if case.name in ("scan", "report"):
        (folder / "run").mkdir()
    if case.name.startswith(("prepare", "embed", "covers_embed")):
        left_out = ("0[4-9].wav", "1*.wav") if case.name.startswith("embed") else ()
        ignore = shutil.ignore_patterns(*left_out)
        shutil.copytree(inputs / "SRC", folder / "SRC", copy_function=shutil.copy2, ignore=ignore)
        (folder / "run").mkdir()
    if case.name == "prepare_changed":
        done(run(case.words, folder))
        soundfile.write(folder / "SRC/03.wav", melody(np.random.default_rng(9), 0.7), 16_000)
        for number in (3, 7):  # one is another recording, one only newer
            os.utime(folder / f"SRC/{number:02d}.wav", ns=(10**18, 10**18))
