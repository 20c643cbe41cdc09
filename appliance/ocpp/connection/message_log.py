"""What is written to the message log about a station's frames: how much of each, without secrets, and of strangers little."""

from __future__ import annotations

from appliance.db.stations import message_log
from appliance.ocpp.connection.context import Context
from appliance.ocpp.connection.station import Station
from appliance.ocpp.reading.redact import redacted_text
from appliance.ocpp.reading.schemas import shortened

ACTION_CHARS_MAX = 64
KEPT_CHARS = 4 * 1024
"""Of what tells of no transaction."""
EVIDENCE_CHARS_KEPT = 64 * 1024
"""Of a start or a stop, of a call of ours and of its answer: nobody can send these at will."""
KNOCK_CHARS_KEPT = 1024
KNOCKS_LOGGED_MAX = 200
"""So many messages of a station that nobody has let in are logged while the server runs: strangers must not fill the disk."""
REMARK_CHARS_KEPT = 512


class MessageLog:
    """The rows of one connection. Those that go with an effect are written in its unit, by who does it."""

    def __init__(self, station: Station, context: Context) -> None:
        self._station = station
        self._context = context

    def record_received(self, action: str, request: str, answer: str | None, violation: str | None) -> None:
        """A row for what the station sent, with the next commit. It is counted where its action is known."""
        self._record("in", action, self.kept(request), answer, violation)

    def record_unread(self, action: str, text: str, answer: str | None, violation: str) -> None:
        """A row for a frame that was refused or ignored: what it is is not known."""
        self._record("in", action[:ACTION_CHARS_MAX], self.kept(text), answer, violation)

    def record_sent(self, action: str, request: str, answer: str | None, violation: str | None) -> None:
        """A row for a call of ours, or for an answer to none; it is counted, too."""
        self._context.counters.message("out", action)
        self._record("out", action, self.kept(request, whole=True), answer, violation)

    def record_kept(self, action: str, at_ms: int, kept: str | None, answer: str, violation: str | None) -> None:
        """A row for a call that was answered before its commit, of which so much is `kept`."""
        if kept is not None:
            row = (self._station.id, at_ms, "in", action, kept, answer, violation)
            self._context.store.write_unheard(message_log.record, row)

    def kept(self, request: str, *, whole: bool = False, secretless: bool = False) -> str | None:
        """What the log keeps of a frame; None: it gets no row. `whole`: it is evidence, and its secrets are gone or it has none."""
        if not self._context.settings.logs_messages:
            return None
        text = request if "\0" not in request else storable(request)
        if not self._station.accepted:
            self._station.knocks_logged += 1
            if self._station.knocks_logged > KNOCKS_LOGGED_MAX:
                return None
            return redacted_text(shortened(text, KNOCK_CHARS_KEPT))
        chars_max = EVIDENCE_CHARS_KEPT if whole else KEPT_CHARS
        if len(text) > chars_max:
            text = shortened(text, chars_max)
        # Cut first: what is found in a text costs as much as the text is long.
        return text if whole or secretless else redacted_text(text)

    def _record(self, direction: str, action: str, kept: str | None, answer: str | None, violation: str | None) -> None:
        if kept is None:
            return
        answer = None if answer is None else shortened(answer, EVIDENCE_CHARS_KEPT)
        violation = None if violation is None else shortened(storable(violation), REMARK_CHARS_KEPT)
        row = (self._station.id, self._context.clock(), direction, storable(action), kept, answer, violation)
        self._context.store.write_unheard(message_log.record, row)


def storable(text: str) -> str:
    """`text` as a column takes it whole: SQL would stop at a NUL, which no JSON has but broken frames may."""
    return text.replace("\0", "␀") if "\0" in text else text
