"""Statements: a person's month, on the screen, on A4 and as a file; and all of a month."""
