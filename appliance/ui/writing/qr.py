"""QR codes, drawn as SVG inside the page: nothing is fetched for them."""

from __future__ import annotations

from functools import lru_cache

import segno
from markupsafe import Markup

QUIET_ZONE = 4
"""Modules of white around the code (ISO/IEC 18004)."""
DRAWN_MAX = 2048


@lru_cache(maxsize=DRAWN_MAX)
def qr_code(text: str) -> Markup:
    """The code of a text; a seventh of it may be scratched off. It takes milliseconds: draw many of them in a thread."""
    return secret_qr_code(text)


def secret_qr_code(text: str) -> Markup:
    """The same of a text that is not kept in memory."""
    code = segno.make(text, error="m", micro=False)
    return Markup(code.svg_inline(omitsize=True, border=QUIET_ZONE, svgclass="qr", lineclass=None))  # noqa: S704 - lines and numbers.
