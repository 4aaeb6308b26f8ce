"""Our models on the boards that people look at: mteb's audio tasks, MIREX's cover song identification."""
