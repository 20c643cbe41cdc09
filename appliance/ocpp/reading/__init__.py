"""How messages are read, whatever version they are in: schemas, lenient reading, quirks, clocks, secrets."""
