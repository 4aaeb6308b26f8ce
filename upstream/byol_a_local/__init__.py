"""BYOL-A from a file on disk: s3prl's own byol_a_* can only download."""
