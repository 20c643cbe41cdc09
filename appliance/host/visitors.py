"""Who is connected to a listener: so many in all, so many of one address, and whoever has been quiet longest makes room.

Quiet is who has not yet asked a whole question, or was answered and has not asked again. A newcomer is hardly ever turned away:
one who keeps a thousand connections open takes the places from himself, and the next one who comes is served all the same.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from appliance.domain.network import home_of

Peer = tuple[str, int]
"""Address and port of the other side: what a connection is known by."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections a listener keeps, and how many of one address."""

    most: int
    of_one: int


@dataclass(slots=True, eq=False)
class Visitor:
    """One connection."""

    socket: socket.socket
    peer: Peer
    home: str
    """Whose it is, as limits count; "" for a proxy's, which are anybody's."""

    def is_gone(self) -> bool:
        """Whether it has ended."""
        return self.socket.fileno() < 0

    def drop(self) -> None:
        """End it, in whatever state it is: whoever reads from it meets its end."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


@dataclass(slots=True)
class Visitors:
    """Those of one listener. Who has gone is noticed when a place is needed."""

    limits: Limits
    is_proxy: Callable[[str], bool]
    _all: dict[Peer, Visitor] = field(default_factory=dict)
    _quiet: dict[Visitor, None] = field(default_factory=dict)
    """Who has been quiet longest first."""
    _quiet_of: dict[str, dict[Visitor, None]] = field(default_factory=dict)
    """The same by home."""
    _of: dict[str, int] = field(default_factory=dict)
    """How many of a home there are."""

    def __len__(self) -> int:
        return len(self._all)

    def admit(self, connection: socket.socket, peer: Peer) -> Visitor | None:
        """A newcomer, who is quiet; None if there is no place, because all that are there are asking something."""
        if peer in self._all:
            self.forget(self._all[peer])
        home = "" if self.is_proxy(peer[0]) else home_of(peer[0])
        full = home and self._of.get(home, 0) >= self.limits.of_one
        if (full and not self._make_room(self._quiet_of.get(home, {}))) or (
            len(self._all) >= self.limits.most and not self._make_room(self._quiet)
        ):
            return None
        visitor = self._all[peer] = Visitor(connection, peer, home)
        self._of[home] = self._of.get(home, 0) + 1
        self.falls_quiet(visitor)
        return visitor

    def find(self, peer: Peer) -> Visitor | None:
        """Whose connection this is."""
        return self._all.get(peer)

    def asks(self, visitor: Visitor) -> None:
        """It is being answered, and makes room for nobody."""
        if visitor in self._quiet:
            del self._quiet[visitor]
            self._out_of_home(visitor)

    def falls_quiet(self, visitor: Visitor) -> None:
        """From now on it is quiet."""
        if self._all.get(visitor.peer) is visitor:
            self._quiet[visitor] = None
            self._quiet_of.setdefault(visitor.home, {})[visitor] = None

    def drop_quietest(self) -> None:
        """The process has no place left."""
        self._make_room(self._quiet)

    def forget(self, visitor: Visitor) -> None:
        """It has ended."""
        if self._all.get(visitor.peer) is not visitor:
            return
        self.asks(visitor)
        del self._all[visitor.peer]
        self._of[visitor.home] -= 1
        if not self._of[visitor.home]:
            del self._of[visitor.home]

    def _make_room(self, quiet: dict[Visitor, None]) -> bool:
        longest = next(iter(quiet), None)
        if longest is None:
            return False
        if not longest.is_gone():
            longest.drop()
        self.forget(longest)
        return True

    def _out_of_home(self, visitor: Visitor) -> None:
        of_home = self._quiet_of[visitor.home]
        del of_home[visitor]
        if not of_home:
            del self._quiet_of[visitor.home]
