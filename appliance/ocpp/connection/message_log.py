"""What is written to the message log about a station's frames: how much of each, without secrets, and of strangers little."""

from __future__ import annotations

from appliance.db.stations import message_log
from appliance.ocpp.connection.context import Context
from appliance.ocpp.connection.station import Station
from appliance.ocpp.reading.redact import redacted_text
from appliance.ocpp.reading.schemas import shortened

ACTION_CHARS_MAX = 64
LOGGED_CHARS_MAX = 64 * 1024
REFUSED_CHARS_KEPT = 8192
KNOCK_CHARS_KEPT = 1024
KNOCKS_LOGGED_MAX = 200
"""So many messages of a station that nobody has let in are logged while the server runs: strangers must not fill the disk."""


class MessageLog:
    """The rows of one connection. Those that go with an effect are written in its unit, by who does it."""

    def __init__(self, station: Station, context: Context) -> None:
        self._station = station
        self._context = context

    def record_received(self, action: str, request: str, answer: str | None, violation: str | None) -> None:
        """A row for what the station sent, with the next commit. It is counted where its action is known."""
        self._record("in", action, request, answer, violation)

    def record_unread(self, action: str, text: str, answer: str | None, violation: str) -> None:
        """A row for a frame that was refused or ignored: what it is is not known, so there may be secrets in it."""
        request = redacted_text(shortened(text, REFUSED_CHARS_KEPT))
        self._record("in", action[:ACTION_CHARS_MAX], request, answer, violation)

    def record_sent(self, action: str, request: str, answer: str | None, violation: str | None) -> None:
        """A row for a call of ours, or for an answer to none; it is counted, too."""
        self._context.counters.message("out", action)
        self._record("out", action, request, answer, violation)

    def kept(self, request: str) -> str | None:
        """What the log keeps of a frame; None: it gets no row."""
        text = storable(request)
        if self._station.accepted:
            return text if len(text) <= LOGGED_CHARS_MAX else shortened(text, LOGGED_CHARS_MAX)
        self._station.knocks_logged += 1
        return shortened(text, KNOCK_CHARS_KEPT) if self._station.knocks_logged <= KNOCKS_LOGGED_MAX else None

    def _record(self, direction: str, action: str, request: str, answer: str | None, violation: str | None) -> None:
        kept = self.kept(request)
        if kept is not None:
            row = (self._station.id, self._context.clock(), direction, storable(action), kept, answer, violation)
            self._context.store.write_unheard(message_log.record, row)


def storable(text: str) -> str:
    """`text` as a column takes it whole: SQL would stop at a NUL, which no JSON has but broken frames may."""
    return text.replace("\0", "␀") if "\0" in text else text
