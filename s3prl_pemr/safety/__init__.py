"""What keeps a user's hours: files written whole, one writer in a folder, signals heard, damage seen."""
