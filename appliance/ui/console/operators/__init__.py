"""The staff: set-up, log-in, one's own account, and who is there."""
