"""Music tagging and genre: a head on the time mean of any upstream's features."""
