"""Tiny data sets in the layouts of the real ones."""

import json

import numpy as np
import soundfile

from s3prl_pemr.audio import SAMPLE_RATE

KEYS = {"C major": 262, "Eb minor": 311, "A minor": 220}  # and a tone in Hz, so that a key can be heard


def tone(hertz, seconds=0.5, seed=0):
    """A tone with some noise, float."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return 0.2 * np.sin(2 * np.pi * hertz * time) + 0.01 * noise


def write(path, wav):
    """A file of this audio, its folder made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wav, SAMPLE_RATE)


def make_emo(root, songs=24, evaluation=6):
    """Songs of which the louder ones are rated higher; the last ones are the evaluation set."""
    info = ["song_id,file_name,Artist,Song title,start of the segment (min.sec),end,Genre,Mediaeval 2013 set"]
    ratings = ["song_id,mean_arousal,std_arousal,mean_valence,std_valence"]
    for number in range(1, songs + 1):
        part = "evaluation" if number > songs - evaluation else "development"
        info.append(
            f'{number},{number}.mp3,"Artist {"abcdefgh"[number % 8]}\t",Title {number}\t,0.48,1.33,Pop,{part}'
        )
        arousal = 1 + 7 * (number % 7) / 6
        ratings.append(f"{number},{arousal:.3f},0.9,{9 - arousal:.3f},1.1")
        write(root / "clips_45seconds" / f"{number}.mp3", (0.02 + arousal / 9) * tone(440, seed=number))
    root.mkdir(exist_ok=True)
    (root / "songs_info.csv").write_text("\n".join(info) + "\n")
    (root / "static_annotations.csv").write_text("\n".join(ratings) + "\n")
    return root


def make_nsynth(root):
    """Two instruments in train, three in valid and test, each at two pitches."""
    for split, instruments in {
        "train": ("bass_a_000", "flute_b_001"),
        "valid": ("bass_c_002",),
        "test": ("flute_d_003", "bass_e_004"),
    }.items():
        examples = {}
        for instrument in instruments:
            family = instrument.split("_")[0]
            for pitch in (40, 64):
                note = f"{instrument}-{pitch:03}-100"
                examples[note] = {
                    "instrument_family_str": family,
                    "instrument_str": instrument,
                    "pitch": pitch,
                }
                hertz = 440 * 2 ** ((pitch - 69) / 12)
                write(root / f"nsynth-{split}" / "audio" / f"{note}.wav", tone(hertz))
        (root / f"nsynth-{split}" / "examples.json").write_text(json.dumps(examples))
    return root


JAMENDO_HEADER = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\r\n"


def make_jamendo(root, low=False):
    """Six tracks of two tags; lists as in a clone of the repository."""
    lists = root / "mtg-jamendo-dataset" / "data" / "splits" / "split-0"
    lists.mkdir(parents=True)
    rows = {
        "train": (
            "01/101.mp3\t31.0\tmood/theme---dark\tmood/theme---sad",
            "02/102.mp3\t40.0\tmood/theme---sad",
        ),
        "validation": ("03/103.mp3\t31.5\tmood/theme---dark", "03/104.mp3\t31.5\tmood/theme---sad"),
        "test": ("04/104.mp3\t90.1\tmood/theme---sad", "05/205.mp3\t33.0\tmood/theme---dark"),
    }
    for split, lines in rows.items():
        text = JAMENDO_HEADER
        for line in lines:
            number = line[3:6]
            text += f"track_{number:0>7}\tartist_{split}\talbum_{number}\t{line}\r\n"
            name = f"{line[:2]}/{number}{'.low' * low}.mp3"
            write(root / ("audio-low" if low else ".") / name, tone(200 + int(number)))
        (lists / f"autotagging_moodtheme-{split}.tsv").write_text(text, newline="")
    return root


def make_giantsteps(root, tracks=8, tests=6):
    """Keys by turns, in the two repositories; two tracks more are uncertain."""
    training, test = root / "giantsteps-mtg-key-dataset-fd7b8c5", root / "giantsteps-key-dataset"
    (training / "annotations").mkdir(parents=True)
    (test / "annotations" / "key").mkdir(parents=True)
    names = list(KEYS)
    keys, songs = ["ID\tMANUAL KEY\tC"], ["ID\tARTIST\tSONG TITLE\tBP KEY"]
    for number in range(10, 10 + tracks):
        key = names[number % 3]
        keys.append(f"{number}\t{key.replace('Eb', 'D#')}\t2")
        songs.append(f"{number}\tDJ {number}, MC {number // 2}\tTitle\tC major")
        write(training / "audio" / f"{number}.LOFI.mp3", tone(KEYS[key], seed=number))
    keys += ["90\tC minor / Eb major\t2", "91\t-\t0"]
    songs += ["90\tDJ 90\tTitle\tC major", "91\tDJ 91\tTitle\tC major"]
    (training / "annotations" / "annotations.txt").write_text("\n".join(keys) + "\n")
    (training / "annotations" / "beatport_metadata.txt").write_text("\n".join(songs) + "\n")
    for number in range(200, 200 + tests):
        key = names[number % 3]
        (test / "annotations" / "key" / f"{number}.LOFI.key").write_text(f"{key}\n")
        write(root / "audio" / f"{number}.LOFI.mp3", tone(KEYS[key], seed=number))
    return root
