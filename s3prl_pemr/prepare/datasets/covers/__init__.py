"""Data sets of works and their versions, for `-d cover_song`."""
