"""What makes another version of a track out of its CQT columns. T: columns."""

from pathlib import Path

import numpy as np

import s3prl_pemr  # noqa: F401 - registers s3prl.downstream.cover_song

# isort: split
from s3prl.downstream.cover_song.cqt.augment import change_speed, roll_pitch
from s3prl.downstream.cover_song.cqt.transform import by_peak

BINS, SHORTEST = 84, 60  # columns of a crop: 28 s
MOST_SEMITONES = 6


def read_tracks(path: Path, names: str) -> tuple[list[np.ndarray], list[str]]:
    """The columns of each track of columns.py or works.py, (84, T), and `names` of it."""
    with np.load(path, allow_pickle=False) as file:
        parts = np.split(file["cqt"], np.cumsum(file["columns"])[:-1], axis=1)
        return parts, file[names].tolist()


def equalised(cqt: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another timbre: gains of a deviation of 6 dB at six places, and now and then an end that is cut."""
    gain = np.interp(np.linspace(0, 5, BINS), np.arange(6), rng.normal(0, 6, 6))
    gain = 10 ** (gain / 20)
    if rng.random() < 0.5:
        gain[: rng.integers(0, 24)] *= 0.03
    if rng.random() < 0.5:
        gain[rng.integers(54, 84) :] *= 0.03
    return cqt * gain[:, None].astype(np.float32)


def noisy(cqt: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise of 20 to 40 dB below the peak."""
    level = 10 ** (rng.uniform(-40, -20) / 20) * cqt.max()
    return np.abs(cqt + 0.7 * level * rng.rayleigh(1, cqt.shape).astype(np.float32))


def view(cqt: np.ndarray, columns: int, rng: np.random.Generator) -> np.ndarray:
    """A crop for training: another place, speed, key, timbre, noise; (84, columns), ending in zeros."""
    cqt = np.asarray(cqt, np.float32)
    length, speed = cqt.shape[1], rng.uniform(0.75, 1.3)
    kept = min(columns, max(SHORTEST, int(length * rng.uniform(0.5, 1) / speed)))
    source = min(length, max(20, round(kept * speed)))
    first = rng.integers(length - source + 1)
    crop = change_speed(cqt[:, first : first + source], kept)
    if rng.random() < 0.9:
        crop = roll_pitch(crop, int(rng.integers(-MOST_SEMITONES, MOST_SEMITONES + 1)))
    if rng.random() < 0.7:
        crop = equalised(crop, rng)
    if rng.random() < 0.7:
        crop = noisy(crop, rng)
    return np.pad(by_peak(crop), ((0, 0), (0, columns - kept)))


def scored_versions(cqt: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Six versions for scoring: itself, another key, speed, sound, its end, and all of these at once."""
    cqt = np.asarray(cqt, np.float32)
    length = cqt.shape[1]

    def other_speed(track):
        speed = rng.choice([rng.uniform(0.75, 0.93), rng.uniform(1.07, 1.3)])
        return change_speed(track, max(2, round(track.shape[1] / speed)))

    def other_key(track):
        return roll_pitch(track, int(rng.choice([*range(-6, 0), *range(1, 7)])))

    part = max(SHORTEST, int(length * 0.6))
    made = [
        cqt, other_key(cqt), other_speed(cqt), noisy(equalised(cqt, rng), rng), cqt[:, length - part :],
        noisy(equalised(other_speed(other_key(cqt[:, :part])), rng), rng),
    ]  # fmt: skip
    return list(map(by_peak, made))
