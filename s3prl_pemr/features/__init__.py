"""Features of a frozen upstream: the cache on disk, and one vector a clip."""
