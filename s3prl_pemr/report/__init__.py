"""What experiments leave to be read: scores, intervals, tables, figures."""
