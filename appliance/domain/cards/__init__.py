"""Cards: what stands on their chips, what they may do at most, and what a reader sees of them."""
