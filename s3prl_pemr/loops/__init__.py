"""s3prl's training loops, mended from outside; each function names the line it mends."""
