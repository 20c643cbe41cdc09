"""Cards at chargers and in their holders' hands: limits, other names, PIN, misuse, revocation."""
