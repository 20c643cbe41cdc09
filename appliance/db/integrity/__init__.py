"""Whether the books say what was done: the schema, each figure that follows from others, and what was anchored before."""
