"""Icons by their name in the Lucide collection, as SVG inside the page.

The package reads its archive anew for every icon; here it is opened once, when the program starts, so that no page waits
for the disk.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from zipfile import ZipFile

from markupsafe import Markup

ARCHIVE = ZipFile(BytesIO((files("lucide") / "lucide.zip").read_bytes()))
OPENING = re.compile(r"<svg[^>]*>")


@lru_cache(maxsize=256)
def icon(name: str) -> Markup:
    """The icon, in the size and colour of the text around it. Whatever it means stands beside it as a word.

    Raises:
        KeyError: There is no icon of this name.
    """
    text = ARCHIVE.read(f"{name}.svg").decode()
    inner = "".join(line.strip() for line in OPENING.sub("", text, count=1).splitlines())
    return Markup(  # noqa: S704 - it comes from the package and holds no text of anybody
        '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">' + inner
    )
