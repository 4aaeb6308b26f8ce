import json
import pickle

import numpy as np
import pytest

from s3prl_pemr.store import AudioStore, StoreError
from s3prl_pemr.store.index import Entry, Stamp, Unreadable, read_index, read_unreadable
from s3prl_pemr.store.writer import StoreWriter

LENGTHS = (100, 30, 250)
SPLITS = ("train", "test", "train")
LABELS = (("rock", "a|b"), (), ("slow",))
NAMES = ("one/a.wav", "two\ttabs\nand 'quotes'.mp3", "drei-ü \udce9.flac")


def samples_of(track):
    """Every sample names its track: track 0 holds 1000, 1001, ..."""
    return np.arange(LENGTHS[track], dtype=np.int16) + 1000 * (track + 1)


def write_store(path, labels=LABELS, changed=0):
    path.mkdir()
    writer = StoreWriter(path)
    writer.begin()
    for track, name in enumerate(NAMES):
        writer.add(name, samples_of(track) + changed, SPLITS[track], labels[track], "", Stamp(5, 6))
    writer.add_unreadable(Unreadable("x\t.mp3", "a\nreason", "x\t.mp3", Stamp()))
    writer.finish()
    writer.close()
    return path


@pytest.fixture
def store_path(tmp_path):
    return write_store(tmp_path / "store")


def message(path):
    with pytest.raises(StoreError) as caught:
        AudioStore(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_was_written_is_read(store_path):
    store = AudioStore(store_path)
    assert len(store) == 3
    assert store.tracks == list(NAMES)
    assert store.length_samples.tolist() == list(LENGTHS) and store.length_samples.dtype == np.int64
    assert store.splits == list(SPLITS)
    assert store.labels == [list(labels) for labels in LABELS]
    assert store.notes == [""] * 3
    for track in range(3):
        whole = store.read(track)
        assert whole.dtype == np.int16 and np.array_equal(whole, samples_of(track))
    assert read_unreadable(store_path / "unreadable.tsv")[0] == [
        Unreadable("x\t.mp3", "a\nreason", "x\t.mp3", Stamp())
    ]


def test_the_audio_is_little_endian_int16_without_header(store_path):
    flat = np.frombuffer((store_path / "audio.i16").read_bytes(), "<i2")
    assert np.array_equal(flat, np.concatenate([samples_of(track) for track in range(3)]))


def test_gather_equals_read(store_path):
    store = AudioStore(store_path)
    tracks, starts = [2, 0, 2, 1], [0, 60, 210, 10]
    crops = store.gather(tracks, starts, 20)
    assert crops.shape == (4, 20) and crops.dtype == np.int16
    for crop, track, start in zip(crops, tracks, starts, strict=True):
        assert np.array_equal(crop, store.read(track, start, 20))
        assert np.array_equal(crop, samples_of(track)[start : start + 20])
    crops += 1  # a copy: training may change it


def test_behind_a_track_are_zeros_and_never_the_next_track(store_path):
    store = AudioStore(store_path)
    # 5 samples of track 0 are left at 95; track 1 has 30; at its end there are none.
    crops = store.gather(np.array([0, 1, 1]), np.array([95, 0, 30]), 40)
    assert crops[0].tolist() == [1095, 1096, 1097, 1098, 1099] + [0] * 35
    assert np.array_equal(crops[1], np.concatenate([samples_of(1), np.zeros(10)]))
    assert not crops[2].any()
    assert store.read(1, 25, 10).tolist() == [2025, 2026, 2027, 2028, 2029, 0, 0, 0, 0, 0]


def test_a_start_outside_the_track_is_refused(store_path):
    store = AudioStore(store_path)
    with pytest.raises(IndexError, match="one/a.wav: no sample 101 in its 100 samples"):
        store.gather([0], [101], 10)
    with pytest.raises(IndexError, match="no sample -1"):
        store.read(1, -1, 10)
    with pytest.raises(IndexError):
        store.read(3)


def test_select(store_path):
    store = AudioStore(store_path)
    assert store.select("train").tolist() == [0, 2]
    assert store.select("test").tolist() == [1]
    assert store.select("").tolist() == store.select(None).tolist() == [0, 1, 2]
    with pytest.raises(
        StoreError, match="no track is in the split 'valid'; there are test: 1 tracks, train: 2 tracks"
    ):
        store.select("valid")


def test_pickling_sends_no_audio(tmp_path):
    tmp_path.joinpath("big").mkdir()
    writer = StoreWriter(tmp_path / "big")
    writer.begin()
    writer.add("a", np.arange(1_000_000, dtype=np.int32).astype(np.int16), "", (), "", Stamp())
    writer.finish()
    writer.close()
    store = AudioStore(tmp_path / "big")
    pickled = pickle.dumps(store)
    assert len(pickled) < 2000  # the audio is 2,000,000 bytes
    assert np.array_equal(pickle.loads(pickled).read(0, 999_000), store.read(0, 999_000))


def test_the_fingerprint_is_of_the_audio_not_of_the_labels(tmp_path):
    one = AudioStore(write_store(tmp_path / "one")).fingerprint
    assert one == AudioStore(write_store(tmp_path / "two", labels=((), (), ()))).fingerprint
    assert one != AudioStore(write_store(tmp_path / "three", changed=1)).fingerprint
    assert len(one) == 64


def test_a_folder_that_is_no_store(tmp_path):
    assert "not an audio store" in message(tmp_path)
    assert "s3prl-pemr prepare folder SRC DST" in message(tmp_path / "missing")


def test_an_unfinished_store_is_refused(store_path):
    writer = StoreWriter(store_path)
    assert writer.finished
    writer.begin()
    writer.close()
    assert "prepare was interrupted; run the same prepare command again" in message(store_path)


def test_files_that_do_not_fit_together(store_path):
    audio = store_path / "audio.i16"
    whole = audio.read_bytes()
    audio.write_bytes(whole[:-2])
    assert "758 bytes, but index.tsv says 760; copy it again" in message(store_path)
    audio.unlink()
    assert "0 bytes, but index.tsv says 760" in message(store_path)
    audio.write_bytes(whole)
    index = store_path / "index.tsv"
    lines = index.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    index.write_text("\n".join([lines[0], lines[2], ""]))
    assert "contradicts those before it" in message(store_path)
    index.write_text("\n".join([lines[0], "a\tb", ""]))
    assert "index.tsv: line 2 is malformed" in message(store_path)
    index.write_text("track,offset\n")
    assert "not a table of an audio store" in message(store_path)


def test_another_version_and_an_empty_store(store_path):
    state = store_path / "store.json"
    state.write_text(json.dumps({"format": 99, "sample_rate": 16000, "complete": True}))
    assert "written by another version" in message(store_path)
    state.write_text("{")
    assert "store.json: damaged" in message(store_path)
    state.write_text(json.dumps({"format": 1, "sample_rate": 16000, "complete": True}))
    lines = (store_path / "index.tsv").read_bytes().split(b"\n")
    (store_path / "index.tsv").write_bytes(lines[0] + b"\n")
    assert "holds no tracks" in message(store_path)


def test_a_line_comes_back_as_it_was():
    entry = Entry("a\\t\tb|c\r\n", 3, 4, "x\ty", ("p|q", "\\p", "r"), "note", 0xABC, Stamp(1, 2))
    assert entry.line().count("\n") == 1 and entry.line().count("\t") == 8
    assert Entry.parse(entry.line().rstrip("\n").split("\t")) == entry


def test_a_line_without_its_end_is_left_out(store_path):
    index = store_path / "index.tsv"
    whole = index.read_bytes()
    for cut in range(1, len(whole.split(b"\n")[-2]) + 1):
        index.write_bytes(whole[:-cut])
        entries, whole_bytes = read_index(index)
        assert [entry.track for entry in entries] == list(NAMES[:2])
        assert whole[:whole_bytes].endswith(b"\n")


def test_the_writer_drops_tracks_whose_audio_is_not_there(store_path):
    (store_path / "audio.i16").write_bytes((store_path / "audio.i16").read_bytes()[:-1])
    writer = StoreWriter(store_path)
    assert [entry.track for entry in writer.entries] == list(NAMES[:2]) and not writer.finished
    writer.begin()
    writer.add(NAMES[2], samples_of(2), SPLITS[2], LABELS[2], "", Stamp(5, 6))
    writer.finish()
    writer.close()
    assert np.array_equal(AudioStore(store_path).read(2), samples_of(2))
