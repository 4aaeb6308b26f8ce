"""One command of prepare each: how a data set lies on disk, its labels and its splits."""
