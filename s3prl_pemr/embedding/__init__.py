"""Vectors of any music by any upstream: `s3prl-pemr embed`, and the same from Python."""
