"""What a comparison found: scores that can be paired, tables, pictures, the page."""
