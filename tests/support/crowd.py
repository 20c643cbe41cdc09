"""Connections on which nothing is said, as a process of its own: `python -m tests.support.crowd PORT NUMBER`.

So many come, and a few more each moment for those that were ended, until the standard input ends. Then it prints how often
somebody came, and how many the other side has ended.
"""

from __future__ import annotations

import errno
import select
import selectors
import socket
import sys

HOST = "127.0.0.1"
LOOK_S = 0.05
AT_FIRST = 100
AGAIN = 5
"""At each look: what is tried is silence, not how fast this machine can connect."""


class Crowd:
    """Those at one port."""

    def __init__(self, port: int, number: int) -> None:
        self.came = 0
        self.ended = 0
        self._there = 0
        self._port = port
        self._number = number
        self._ends = selectors.DefaultSelector()

    def look(self) -> None:
        """See who was ended, and come again."""
        for key, _ in self._ends.select(timeout=0):
            self._ends.unregister(key.fileobj)
            key.data.close()
            self._there -= 1
            self.ended += 1
        for _ in range(min(AT_FIRST if self.came < self._number else AGAIN, self._number - self._there)):
            self._come()

    def _come(self) -> None:
        self.came += 1
        one = socket.socket()
        one.setblocking(False)
        if one.connect_ex((HOST, self._port)) in (0, errno.EINPROGRESS):
            self._ends.register(one, selectors.EVENT_READ, one)
            self._there += 1
        else:
            one.close()


def main(port: int, number: int) -> None:
    """Until the standard input ends."""
    crowd = Crowd(port, number)
    while not select.select([sys.stdin], [], [], LOOK_S)[0]:
        crowd.look()
    print(crowd.came, crowd.ended)  # noqa: T201  # what whoever has started it waits for


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
