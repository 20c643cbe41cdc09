"""The staff: who may come in, and as what."""
