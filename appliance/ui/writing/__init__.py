"""How things are written for a reader: figures, days, charts, files, icons."""
