"""Names that a terminal would obey."""

import pytest

from s3prl_pemr.audio import UnreadableAudio
from s3prl_pemr.report.printable import printable, visible
from s3prl_pemr.store import StoreError


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07.mp3", r"\x1b[2J\x1b]0;title\x07.mp3"),
        ("a\rb\nc\td", r"a\rb\nc\td"),
        ("\x00\x08\x7f", r"\x00\x08\x7f"),
        ("\x9b31m\x85", r"\x9b31m\x85"),  # CSI and next line in one character
        ("\u202e3pm.exe\u202c", r"\u202e3pm.exe\u202c"),
        ("\u202a\u202b\u202d\u2066\u2067\u2068\u2069", r"\u202a\u202b\u202d\u2066\u2067\u2068\u2069"),
        ("\u200e\u200f\u061c", r"\u200e\u200f\u061c"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\ufeff\u200b", r"\ufeff\u200b"),
        ("caf\udce9 \ud83d", r"caf\udce9 \ud83d"),
        ("back\\slash", r"back\\slash"),
    ],
)
def test_what_is_not_printable_is_spelt_out(name, shown):
    assert printable(name) == shown
    assert printable(name).encode() and "\n" not in printable(name)


@pytest.mark.parametrize(
    "name",
    [
        "Café – Beyoncé's “Déjà Vu” (live).mp3",
        "Cafe\u0301.mp3",  # decomposed, as macOS has it
        "椎名林檎 가요 Ελλάδα עברית العربية",
        "👩\u200d🎤❤\ufe0f🏴\U000e0067\U000e0062\U000e007f",
        "می\u200cخواهم\u00a0\u00ad",
    ],
)
def test_what_is_printable_stays(name):
    assert printable(name) == name


def test_a_message_may_hold_names_that_are_printable_already():
    name = "a\\b\n\x1b.mp3"
    assert visible(f"{printable(name)}: gone") == r"a\\b\n\x1b.mp3: gone"
    assert visible(f"{name}: gone") == r"a\b\n\x1b.mp3: gone"


def test_errors_name_files_so():
    assert str(StoreError("a\x1b.wav: damaged")) == r"a\x1b.wav: damaged"
    assert str(UnreadableAudio("a\u202e.wav", "is empty")) == r"a\u202e.wav: is empty"
    assert UnreadableAudio("a\u202e.wav", "is empty").path == "a\u202e.wav"
