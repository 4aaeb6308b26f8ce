"""`s3prl-pemr demo`: a first look that needs no data, in minutes, or (--full) the long version."""
