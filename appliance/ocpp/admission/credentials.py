"""How a station proves who it is: Basic authentication, and how often it may get it wrong.

Of a password only a keyed hash is kept; who sets passwords is not decided here.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections import deque

from appliance.domain.network import home_of
from appliance.domain.station import WITH_CERTIFICATE

PASSWORD_BYTES_MAX = 128
WINDOW_MS = 60_000
FAILURES_MAX = 10
"""Of one identity from one address within the window: a station with a wrong password asks every few seconds."""
FAILURES_OF_ONE_MAX = 100
"""Of one address under all names, and of one identity from all addresses: then the right password alone is let in."""
FAILURES_AT_HOME_MAX = 30
"""Of one identity from the address where it was let in before: what others try under its name elsewhere does not hold it up."""
KEYS_MAX = 2_000


def basic_credentials(header: str | None) -> tuple[bytes, bytes] | None:
    """Username and password of an Authorization header, as bytes, because 1.6 passwords need not be text."""
    if header is None:
        return None
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.casefold() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    username, colon, password = decoded.partition(b":")
    return (username, password) if colon else None


def password_suffices(profile: int, *, tls: bool) -> bool:
    """Whether a station of this security profile proves itself by its password on such a connection."""
    return profile < 2 or (profile < WITH_CERTIFICATE and tls)


def password_matches(site_key: bytes, stored: bytes | None, password: bytes) -> bool:
    """Whether this is the password whose HMAC-SHA-256 under the site's key is `stored`, as its bytes or as their hexadecimal text, in either direction: stations do both.

    The work is the same whether there is a stored hash, and whether it fits.
    """
    password = password[:PASSWORD_BYTES_MAX]
    try:
        decoded = bytes.fromhex(password.decode("ascii"))
    except ValueError:
        decoded = password
    expected = stored if stored is not None else bytes(32)
    matches = False
    for candidate in (password, decoded, password.hex().encode(), password.hex().upper().encode()):
        matches |= hmac.compare_digest(hmac.digest(site_key, candidate, "sha256"), expected)
    return matches and stored is not None


class Failures:
    """Failed attempts of the last minute, by address and identity."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, str], deque[int]] = {}

    def retry_after_s(
        self, address: str, identity: str, now_ms: int, *, at_home: bool = False, proven: bool = False
    ) -> int:
        """How long to wait before the next attempt; 0: not at all.

        Whoever shows the right password (`proven`) is held up by what came from their own address only: what others try under
        a name, from wherever, keeps nobody out. While that is much, one slip at an address is enough: else many addresses would guess
        as much more.
        """
        home = home_of(address)
        if at_home:
            return -(-self._wait_ms((home, identity), FAILURES_AT_HOME_MAX, now_ms) // 1000)
        everywhere_ms = self._wait_ms(("", identity), FAILURES_OF_ONE_MAX, now_ms)
        waits = (
            self._wait_ms((home, identity), 1 if everywhere_ms else FAILURES_MAX, now_ms),
            self._wait_ms((home, ""), FAILURES_OF_ONE_MAX, now_ms),
            0 if proven else everywhere_ms,
        )
        return -(-max(waits) // 1000)

    def add(self, address: str, identity: str, now_ms: int) -> None:
        """Note one."""
        home = home_of(address)
        for key in ((home, identity), (home, ""), ("", identity)):
            times = self._times.pop(key, None) or deque(maxlen=FAILURES_OF_ONE_MAX)
            times.append(now_ms)
            self._times[key] = times
            if len(self._times) > KEYS_MAX:
                del self._times[next(iter(self._times))]

    def _wait_ms(self, key: tuple[str, str], most: int, now_ms: int) -> int:
        times = self._times.get(key)
        if times is None:
            return 0
        while times and not 0 <= now_ms - times[0] < WINDOW_MS:
            times.popleft()
        if not times:
            del self._times[key]
            return 0
        return times[-most] + WINDOW_MS - now_ms if len(times) >= most else 0
