"""Seeing and hearing what PEMR's masks choose in a track of one's own."""
