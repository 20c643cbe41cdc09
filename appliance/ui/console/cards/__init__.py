"""Cards, their limits and PINs, and those that nobody knows."""
