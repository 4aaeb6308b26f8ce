"""The demo's composer: styles, works, arrangements, and a sound font that plays them."""
