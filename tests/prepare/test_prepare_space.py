import struct

import numpy as np
import soundfile
from prepare_fixtures import noise, prepare

from s3prl_pemr.store import AudioStore


def test_one_damaged_header_does_not_veto_the_collection(tmp_path, capsys):
    (tmp_path / "SRC").mkdir()
    soundfile.write(tmp_path / "SRC" / "good.wav", noise(1), 22050)
    soundfile.write(tmp_path / "SRC" / "bad.mp3", noise(3), 22050)
    data = bytearray((tmp_path / "SRC" / "bad.mp3").read_bytes())
    at = max(data.find(b"Xing"), data.find(b"Info"))
    data[at + 8 : at + 12] = struct.pack(">I", 2_100_000_000)
    (tmp_path / "SRC" / "bad.mp3").write_bytes(data)
    assert prepare(tmp_path / "SRC", tmp_path / "DST") == 0
    out = capsys.readouterr().out
    assert "WARNING: 1 headers claim more than their files can hold; not counted as needing disk:" in out
    assert "bad.mp3: 15,2" in out  # 2.1e9 frames of 576 samples at 22.05 kHz are 15,238 hours
    assert "bad.mp3: truncated: 3." in out
    assert AudioStore(tmp_path / "DST").tracks == ["good.wav"]
    assert np.abs(AudioStore(tmp_path / "DST").read(0).astype(int)).max() > 1000
