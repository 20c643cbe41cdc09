"""The business itself: what things are and what follows from what. Standard library only, nothing async, no I/O."""
