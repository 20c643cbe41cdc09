"""The stylesheet, scripts and pictures: read and compressed when the program starts, and found under an address that their content makes.

Whatever changes in one of them changes the address of all, so that browsers keep them for a year and never ask again; scripts
name one another without it, because they lie beside one another. A page of the release before still finds its files, by their names.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

STATIC = Path(__file__).parents[1] / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOR_A_YEAR = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class File:
    """One of them, as it is sent."""

    content_type: str
    plain: bytes
    gzipped: bytes
    etag: str


def _read(path: Path) -> File:
    content = path.read_bytes()
    etag = hashlib.sha256(content).hexdigest()[:16]
    return File(TYPES[path.suffix], content, gzip.compress(content, mtime=0), etag)


FILES = {path.name: _read(path) for path in sorted(STATIC.iterdir())}
ADDRESS = hashlib.sha256("".join(f"{name} {file.etag} " for name, file in FILES.items()).encode()).hexdigest()[:12]
"""Of all of them together."""


def address_of(name: str) -> str:
    """Where pages find the file."""
    if name not in FILES:
        raise KeyError(name)
    return f"/static/{ADDRESS}/{name}"


def add_files(app: web.Application) -> None:
    """Serve them."""
    app.router.add_get("/static/{path:.+}", _serve)


async def _serve(request: web.Request) -> web.Response:
    folder, _slash, name = request.match_info["path"].rpartition("/")
    found = FILES.get(name)
    if found is None:
        raise web.HTTPNotFound
    headers = {
        hdrs.CACHE_CONTROL: FOR_A_YEAR if folder == ADDRESS else ASK_AGAIN,
        hdrs.ETAG: f'W/"{found.etag}"',
        hdrs.VARY: hdrs.ACCEPT_ENCODING,
    }
    if any(each.value == found.etag for each in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    body = found.plain
    if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "").lower():
        body, headers[hdrs.CONTENT_ENCODING] = found.gzipped, "gzip"
    return web.Response(body=body, headers=headers, content_type=found.content_type, charset="utf-8")
