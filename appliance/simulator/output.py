"""What `forecourt simulate` says, and its exit codes."""

from __future__ import annotations

import re
import sys
from typing import Final

EXIT_DONE: Final = 0


EXIT_NOT_CHARGED: Final = 1


EXIT_USAGE: Final = 2


EXIT_REFUSED: Final = 3


def say(sentence: str) -> None:
    """One line, above the status line if there is one; nothing in it can move the cursor."""
    clear = "\r\x1b[K" if sys.stdout.isatty() else ""
    sys.stdout.write(clear + re.sub(r"[\x00-\x1f\x7f-\x9f]", "·", sentence) + "\n")
    sys.stdout.flush()
