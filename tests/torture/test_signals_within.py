"""A signal while what may take minutes is done: statistics, a queue, features, CQTs, an evaluation."""

import os
import shutil
import signal
import time

import pytest
import yaml
from afterwards import trouble
from commands import Case, begin, cases
from forked import finish, left_behind, run, start
from slowed import Slowed
from test_every_step import narrow

SECONDS = 5  # for a signal to be obeyed
CLIPS = 8  # of a tagging step: each is computed alone
PLACES = {
    "statistics": "s3prl.upstream.fcn4.frontend:LogMel.log_mel",
    "queue": "s3prl.pretrain.baselines.moco:MoCo._enqueue",
    "features": "s3prl_pemr.features.cached_upstream:CachedUpstream._compute",
    "features_of_dev": "s3prl_pemr.features.cached_upstream:CachedUpstream._compute",
    "evaluation": "s3prl.downstream.music_tagging.expert:DownstreamExpert.forward",
    "cqt": "s3prl.downstream.cover_song.cqt.cache:_compute",
    "cqt_workers": "s3prl.downstream.cover_song.cqt.cache:_compute",
}


def pretraining(inputs, folder, method):
    """A command whose statistics and queue take several calls."""
    config = yaml.safe_load((inputs / "runner.yaml").read_text())
    config["pretrain_expert"]["datarc"]["statistics_clips"] = 256
    for file, content in (("runner", config), ("model", narrow(method, 6))):
        (folder / f"{file}.yaml").write_text(yaml.safe_dump(content))
    words = ["pretrain", "-u", method, "--device", "cpu", "-p", "run", "-a"]
    return [*words, "-c", folder / "runner.yaml", "-g", folder / "model.yaml"]


def command(place, inputs, folder):
    """The case of a place, with inputs of its own where they are added to."""
    if place in ("statistics", "queue"):
        words = pretraining(inputs, folder, "pemr" if place == "statistics" else "moco")
    elif place.startswith("cqt"):
        words = [str(word) for word in cases(inputs)["cover_song"].words]
        at = words.index("-o") + 1
        words[at] = words[at].replace(str(inputs / "WORKS"), str(folder / "WORKS"))
        if place == "cqt_workers":
            words[at] = words[at].replace("cqt_jobs=1", "cqt_jobs=2")
    else:
        words = list(cases(inputs)["tagging"].words)
        more = f",,config.downstream_expert.datarc.train_batch_size={CLIPS}"
        if place != "features":  # all of a dev split in a batch, or each clip one
            clips = 1 if place == "evaluation" else CLIPS
            more += f",,config.downstream_expert.datarc.eval_batch_size={clips}"
        words[words.index("-o") + 1] += more
    return Case(place, words, words, "run")


@pytest.mark.torture
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("place", PLACES)
def test_a_signal_within(inputs, tmp_path, place, number, report):
    case, folder, within = command(place, inputs, tmp_path), tmp_path / place, tmp_path / "within"

    def anew():
        begin(case, folder, inputs)
        if place.startswith("cqt"):
            shutil.rmtree(tmp_path / "WORKS", ignore_errors=True)
            shutil.copytree(inputs / "WORKS", tmp_path / "WORKS", ignore=shutil.ignore_patterns("cqt"))

    anew()
    whole = run(case.words, folder)
    assert whole.status == 0, whole.printed
    expected = case.state(folder)
    anew()
    begun = time.monotonic()
    process = start(case.words, folder, Slowed(PLACES[place], within))
    while not within.exists():
        assert time.monotonic() < begun + 60, (folder / "printed.txt").read_text()
        time.sleep(0.02)
    sent = time.monotonic()
    os.killpg(process, number)
    outcome = finish(process, folder, begun)
    seconds = time.monotonic() - sent
    report(f"{place}, signal {number}: status {outcome.status} after {seconds:.1f} s")
    assert outcome.status in (128 + number, -number), outcome.printed[-2_000:]
    assert seconds <= SECONDS, outcome.printed[-2_000:]
    assert "Traceback" not in outcome.printed, outcome.printed[-2_000:]
    assert not left_behind(process)
    assert trouble(case, folder, expected) is None
