"""Characters that mean nothing in what stations write: firmwares pad texts with NUL, and end lines in the middle of them."""

from __future__ import annotations

CLEANING = {code: " " if chr(code).isspace() else None for code in (*range(0x20), *range(0x7F, 0xA0))}
"""For `str.translate`: control characters are taken out, those that part words leave a blank."""
PADDING = "".join(map(chr, (*range(0x21), 0xFEFF, 0xFFFE)))
"""What may stand around a frame: blanks, control characters, the byte order mark."""
RAW = {code: into for code, into in CLEANING.items() if code < 0x20}
"""Those that JSON forbids as they are."""
