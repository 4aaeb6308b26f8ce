r"""Names and messages as a terminal or a log may show them: in one line, and nothing in it that is obeyed.

Accents, CJK, emoji and the joiners that they need stay. What is replaced is spelt as Python does: `\x1b`.
"""

import re

# Controls (C0, DEL, C1); characters that turn the direction of writing; those without any width that no
# script needs; line and paragraph separators; bytes of a name that is no UTF-8 (lone surrogates).
_NOT_PRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def printable(name: str) -> str:
    """A name, unambiguous: a backslash of its own is doubled."""
    return visible(name.replace("\\", "\\\\"))


def visible(message: str) -> str:
    """A message that holds names, of which some may be `printable` already: those stay as they are."""
    return _NOT_PRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), message)
