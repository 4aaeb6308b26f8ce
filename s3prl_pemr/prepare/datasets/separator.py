"""What to say of a table that has other separators than tabs."""

SEPARATORS = {",": "commas", ";": "semicolons"}


def separator_hint(line: str) -> str:
    """An end for a message about a line without a tab; empty where the line has none of the others."""
    found = [name for character, name in SEPARATORS.items() if character in line and "\t" not in line]
    return f"; its {found[0]} separate no columns: tabs do" if found else ""
