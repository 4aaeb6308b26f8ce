"""Music tagging and genre: a head on any upstream's features, pooled over time."""
