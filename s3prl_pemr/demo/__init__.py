"""The demo corpus: music that the project composes from a seeded grammar, plays and tags itself."""
