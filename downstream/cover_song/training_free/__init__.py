"""Covers without training: Fourier magnitudes of chroma, and the alignment of two tracks."""
