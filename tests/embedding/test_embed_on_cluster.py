"""`embed --engine ray` on a local cluster: the same vectors; a killed actor. Skipped without Ray."""

import os
import signal

import numpy as np
import pytest
import soundfile

from s3prl_pemr.embedding import actors
from s3prl_pemr.embedding.__main__ import main
from s3prl_pemr.embedding.embedder import Embedder, Wanted
from s3prl_pemr.prepare.engine import RAY

RATE = 16_000
CLUSTER_CORES = 4  # two actors


def noise(number):
    return (0.1 * np.random.default_rng(number).standard_normal(RATE * (1 + number))).astype(np.float32)


def vectors(folder):
    found = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            found[path.name] = {name: file[name] for name in file.files}
    return found


def test_the_vectors_are_those_of_one_process(cluster, tmp_path, capsys):
    music = tmp_path / "music"
    music.mkdir()
    for number in range(5):
        soundfile.write(music / f"{number}.wav", noise(number), RATE)
    (music / "text.mp3").write_text("no audio")
    for engine, out in (("processes", "one"), (RAY, "many")):
        assert (
            main([str(music), str(tmp_path / out), "--device", "cpu", "--batch", "2", "--engine", engine])
            == 0
        )
        printed = capsys.readouterr()
        assert "5 tracks, 5 new, 1 unreadable" in printed.out
        assert "unreadable: text.mp3: not audio" in printed.err
    one, many = vectors(tmp_path / "one"), vectors(tmp_path / "many")
    assert list(one) == list(many) == [f"{number}.wav.npz" for number in range(5)]
    for track, found in one.items():
        np.testing.assert_allclose(many[track]["embedding"], found["embedding"], rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(many[track]["seconds"], found["seconds"])
        assert str(many[track]["about"]) == str(found["about"])


def test_what_a_killed_actor_heard_is_heard_again(cluster, tmp_path, monkeypatch):
    mark = tmp_path / "killed"

    class Dies:
        """Kills its process when it first hears two tracks at once."""

        def __init__(self, wanted, device):
            self.embedder = Embedder(wanted, device)

        def embed(self, wavs):
            if len(wavs) == 2 and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return self.embedder.embed([np.array(wav) for wav in wavs])

    monkeypatch.setattr(actors, "_Actor", Dies)
    embedder = Embedder(Wanted("fbank_no_cmvn", pool="mean"), "cpu")
    groups = [["a"], ["b", "c"], ["d"], ["e"], ["f"], ["g", "h"], ["i"], ["j"], ["k"], ["l"]]
    names = [name for group in groups for name in group]
    given = [(group, [noise(names.index(name)) for name in group]) for group in groups]
    found = list(actors.embed_in_order(RAY, embedder, "cpu", given))
    assert mark.exists()
    assert [tracks for tracks, *_ in found] == groups
    for (_, wavs), (_, samples, heard) in zip(given, found, strict=True):
        assert samples == sum(map(len, wavs))
        for one, other in zip(heard, embedder.embed(wavs), strict=True):
            np.testing.assert_allclose(one.clip, other.clip, rtol=1e-4, atol=1e-5)


def test_an_error_of_the_upstream_is_the_one_line_that_it_is(cluster):
    embedder = Embedder(Wanted("fbank_no_cmvn", layer=7), "cpu")
    with pytest.raises(ValueError, match="--layer 7: fbank_no_cmvn has layers 0 to") as error:
        list(actors.embed_in_order(RAY, embedder, "cpu", [(["a"], [noise(1)])]))
    assert "\n" not in str(error.value)
