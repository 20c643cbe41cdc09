"""The digits of the scripts that are read and written here: one table for both."""

from __future__ import annotations

ZEROS = {"latn": "0", "beng": "\u09e6", "arab": "\u0660", "arabext": "\u06f0", "deva": "\u0966"}
"""The zero of each numbering system, as the CLDR calls them; the other nine digits follow it."""
WESTERN = {ord(zero) + digit: str(digit) for zero in ZEROS.values() for digit in range(10)}
"""For `str.translate`: all of them into Western digits."""
NATIVE = {
    system: {ord(str(digit)): chr(ord(zero) + digit) for digit in range(10)}
    for system, zero in ZEROS.items()
    if system != "latn"
}
"""For `str.translate`: Western digits into those of a system."""
