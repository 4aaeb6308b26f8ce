"""CQT columns of tracks: computed once per store, cropped and augmented."""
