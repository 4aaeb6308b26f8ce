"""The whole corpus: every recording to be made, and every table beside the audio."""

from dataclasses import dataclass

from s3prl_pemr.demo.music.recording import Recording

from . import covers, gtzan, magnatagatune
from .names import titles

COMPOSER_VERSION = 4  # rises with every change of what the same seed sounds like


@dataclass(frozen=True)
class Plan:
    """`tables` are text files, by path below the corpus."""

    recordings: list[Recording]
    tables: dict[str, str]


def plan_corpus(seed: int, full: bool = True, held_out: bool = False) -> Plan:
    """What `prepare demo` makes of a seed. No title comes twice.

    Args:
        seed: of everything.
        full: all parts; otherwise the first, music tagging in MagnaTagATune's layout, which is the same then.
        held_out: the first part alone, its test split of styles and sounds that are nowhere else.
    """
    if held_out:
        works = magnatagatune.number_of_works()
        return Plan(*magnatagatune.plan_magnatagatune((seed, 0), titles(seed)[:works], held_out))
    unused, recordings, tables = titles(seed), [], {}
    parts = [
        (magnatagatune.plan_magnatagatune, magnatagatune.number_of_works()),
        (gtzan.plan_gtzan, gtzan.number_of_works()),
        (covers.plan_shs100k, sum(covers.SHS_WORKS.values())),
        (covers.plan_covers80, covers.COVERS80_WORKS),
    ]
    for number, (make, works) in enumerate(parts if full else parts[:1]):
        part_recordings, part_tables = make((seed, number), unused[:works])
        recordings += part_recordings
        tables |= part_tables
        unused = unused[works:]
    return Plan(recordings, tables)
