"""A page whose own name points to this box (DNS rebinding): the browser then says that name for the page and for us alike."""

from __future__ import annotations

from collections.abc import Collection

from appliance.domain import network

LOCALHOST = "localhost"


def is_rebound(origin: str | None, host: str, names: Collection[str]) -> bool:
    """Whether a page may call us by a name of its own; `origin` and `host` are headers, `names` are this box's.

    Only who names an origin is asked: chargers that do not may call the box by whatever name leads to it. No page has an address for
    its name but the one it came from.
    """
    if origin is None or not origin.rpartition("://")[2]:
        return False
    name = network.host_in(host)
    return name is None or (network.plain_address(name) is None and name != LOCALHOST and name not in names)
