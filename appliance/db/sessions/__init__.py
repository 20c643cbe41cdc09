"""Sessions as rows, from the request or the swipe to the bill."""
