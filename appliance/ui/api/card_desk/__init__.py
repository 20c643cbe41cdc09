"""Card desks, for programs and for readers elsewhere."""
