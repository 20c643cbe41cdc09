"""People as rows: found, listed, and what they pay with."""
