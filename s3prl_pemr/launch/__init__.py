"""The command line: what is typed, completed, refused in one line, and run."""
