"""A charging station while the server runs: who it is, what is known of its ways, and the last answers it was given."""

from __future__ import annotations

from asyncio import Future
from dataclasses import dataclass, field

from appliance.domain.identifiers import StationId
from appliance.domain.moments import Source
from appliance.ocpp.connection.frames import MessageId
from appliance.ocpp.connection.refused_cards import RefusedCards
from appliance.ocpp.reading.dating import Dating
from appliance.ocpp.reading.quirks import NONE, Quirks

ANSWERS_REMEMBERED = 8
LASTING_REMEMBERED = 32
"""Of those to starts and stops, which tell money: a queue that is sent again is longer than a few messages."""
STARTS_REMEMBERED = 8

Answer = bytes | Future[bytes]


@dataclass(slots=True, eq=False)
class Station:
    """One station that is known, connected or not."""

    id: StationId
    identity: str
    accepted: bool
    """Approved by staff. A station that knocks is only answered that it must wait."""
    knocks_logged: int = 0
    """How many of its messages came to the log before it was let in."""
    retired: bool = False
    security_profile: int = 0
    password_hash: bytes | None = None
    bound_to: str = ""
    """The device it comes from, while it has no password (domain/peer.py)."""
    next_password_hash: bytes | None = None
    """Of a password that it was sent and has not used yet."""
    quirks: Quirks = NONE
    address: str = ""
    """Where it last came from, let in."""
    swaps: list[tuple[int, str]] = field(default_factory=list)
    """When a connection took the place of one that was still open, and from which address."""
    answers: dict[MessageId, tuple[int, Answer]] = field(default_factory=dict)
    """By message id: the fingerprints of the last frames, and what was answered or soon will be."""
    lasting_answers: dict[MessageId, tuple[int, Answer]] = field(default_factory=dict)
    """The same of starts and stops on this connection: on the next it may count its messages from the beginning."""
    starts: dict[int, tuple[int, str]] = field(default_factory=dict)
    """When starts whose own time cannot be believed came first, and of which card, by fingerprint."""
    refused_cards: RefusedCards = field(default_factory=RefusedCards)
    slow_until_ms: int = 0
    """Until when what it is told about cards waits, because they are tried out: under its name or at its address."""
    free_at_s: float = 0.0
    """By the loop's clock: when it has been quiet long enough for the messages it has sent, over whatever connections."""
    dating: Dating = field(default_factory=Dating)
    status_at_ms: dict[tuple[int, int], int] = field(default_factory=dict)
    """Since when the last status of each EVSE and connector holds."""

    @property
    def is_secured(self) -> bool:
        """Whether it has to show who it is."""
        return self.security_profile > 0 or self.password_hash is not None

    def answer_to(self, message_id: MessageId, text: str) -> Answer | None:
        """What the same frame was answered before."""
        if message_id not in self.answers and message_id not in self.lasting_answers:
            return None  # As nearly always.
        for answers in (self.answers, self.lasting_answers):
            before = answers.get(message_id)
            if before is not None and before[0] == hash(text):
                return before[1]
        return None

    def remember(self, message_id: MessageId, text: str, answer: Answer, *, lasting: bool = False) -> None:
        """Keep the answer to a frame for when the same comes again; the oldest is forgotten."""
        answers, given = self.answers, (hash(text), answer)
        answers[message_id] = given
        if len(answers) > ANSWERS_REMEMBERED:
            del answers[next(iter(answers))]
        if lasting:
            answers = self.lasting_answers
            answers[message_id] = given
            if len(answers) > LASTING_REMEMBERED:
                del answers[next(iter(answers))]

    def forget_answer(self, message_id: MessageId) -> None:
        """What was to be answered came to nothing."""
        self.answers.pop(message_id, None)
        self.lasting_answers.pop(message_id, None)

    def date_status(self, connector: tuple[int, int], at_ms: int, received_at_ms: int) -> int | None:
        """Since when a status holds that comes now and says `at_ms`; None: what came before it holds, for it waited in a queue.

        On one connection the order of receipt decides. A time before that of the status before is a wrong clock's, so the time of
        receipt counts, unless the station was away then, and is only just back (`Dating`).
        """
        stamp_ms, before_ms = min(at_ms, received_at_ms), self.status_at_ms.get(connector, 0)
        at_ms, source = self.dating.date(stamp_ms, received_at_ms)
        if at_ms < before_ms:
            if source is not Source.LIVE and self.dating.was_away(stamp_ms):
                return None
            at_ms = received_at_ms
        self.status_at_ms[connector] = at_ms
        return at_ms

    def date_start(self, fingerprint: int, id_token: str, at_ms: int) -> int:
        """When this start came first, be it now: it stays the same start when it comes again, under another message id too.

        Others of the same moment are moved by a millisecond, for they are others.
        """
        if (known := self.starts.get(fingerprint)) is not None:
            return known[0]
        while any(at_ms == taken_ms for taken_ms, _ in self.starts.values()):
            at_ms += 1
        self.starts[fingerprint] = (at_ms, id_token)
        if len(self.starts) > STARTS_REMEMBERED:
            del self.starts[next(iter(self.starts))]
        return at_ms

    def forget_starts(self, id_token: str | None) -> None:
        """After a stop the next start of this card (None: of any) is another one, even if it looks the same."""
        self.starts = {key: start for key, start in self.starts.items() if id_token not in (None, start[1])}
