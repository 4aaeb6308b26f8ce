"""Finds covers in a collection with a network that `run_downstream.py -d cover_song` trained."""
