"""How the passwords of charging stations are kept: as a fast keyed hash.

They are made by machines and long, so a slow hash would protect nothing more, and two hundred stations that come back
after a power cut would have to wait for it.
"""

from __future__ import annotations

import hmac


def hash_password(site_key: bytes, password: bytes) -> bytes:
    """HMAC-SHA-256 of a password under the site's key; of no use without the key."""
    return hmac.digest(site_key, password, "sha256")
