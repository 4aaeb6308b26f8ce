"""Turn what the user has into an audio store."""
