"""An index of tracks that no model heard."""

import json

import numpy as np

from s3prl_pemr.covers.index import add_track, index_writer, read_index


def write_index(path, tracks, known, stamps, made_by, model):
    """Write it as `covers embed` would. Returns it as it is read."""
    writer = index_writer(path, made_by, model)
    for track, own, stamp in zip(tracks, known, stamps, strict=True):
        add_track(writer, track, own, stamp)
    writer.commit()
    return read_index(path)


def write_single_file(path, tracks, known, stamps, made_by, model):
    """As versions before did; format 1 where there is no chroma."""
    whole = known[0].chroma is not None
    about = {"format": 2 if whole else 1, "made_by": made_by, "model": model}
    others = {}
    if whole:
        others["columns"] = np.array([one.chroma.shape[1] for one in known], np.int64)
        others["chroma"] = np.concatenate([one.chroma for one in known], axis=1)
        others["pieces"] = np.concatenate([one.pieces for one in known])
        others["piece_counts"] = np.array([len(one.pieces) for one in known], np.int64)
    with path.open("wb") as file:
        np.savez(
            file,
            about=np.array(json.dumps(about)),
            tracks=np.frombuffer("\n".join(map(json.dumps, tracks)).encode(), np.uint8),
            embeddings=np.stack([one.embedding for one in known]),
            stamps=np.asarray(stamps),
            **others,
        )
