"""Cards as rows: their limits, other names and revocation, and cards that nobody knows."""
