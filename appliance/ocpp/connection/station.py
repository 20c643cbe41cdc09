"""A charging station while the server runs: who it is, its connection, and the last answers it was given."""

from __future__ import annotations

from asyncio import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance.domain.identifiers import StationId
from appliance.ocpp.reading.quirks import NONE, Quirks
from appliance.ocpp.reading.skew import SkewWatch

if TYPE_CHECKING:
    from appliance.ocpp.connection.connection import Link

ANSWERS_REMEMBERED = 8
STARTS_REMEMBERED = 8

MessageId = str | int | float
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
    link: Link | None = None
    quirks: Quirks = NONE
    address: str = ""
    """Where it last came from, let in."""
    swaps: list[tuple[int, str]] = field(default_factory=list)
    """When a connection took the place of one that was still open, and from which address."""
    answers: dict[MessageId, tuple[int, Answer]] = field(default_factory=dict)
    """By message id: the fingerprints of the last frames, and what was answered or soon will be."""
    starts: dict[int, tuple[int, str]] = field(default_factory=dict)
    """When starts whose own time cannot be believed were first heard, and of which card, by fingerprint."""
    skew: SkewWatch = field(default_factory=SkewWatch)

    @property
    def is_secured(self) -> bool:
        """Whether it has to show who it is."""
        return self.security_profile > 0 or self.password_hash is not None

    def remember(self, message_id: MessageId, fingerprint: int, answer: Answer) -> None:
        """Keep an answer for when the same frame comes again; the oldest is forgotten."""
        answers = self.answers
        answers[message_id] = (fingerprint, answer)
        if len(answers) > ANSWERS_REMEMBERED:
            del answers[next(iter(answers))]

    def first_heard(self, fingerprint: int, id_token: str, received_at_ms: int) -> int:
        """When this start came first: it stays the same start when it comes again, under another message id too."""
        at_ms, _ = self.starts.setdefault(fingerprint, (received_at_ms, id_token))
        if len(self.starts) > STARTS_REMEMBERED:
            del self.starts[next(iter(self.starts))]
        return at_ms

    def forget_starts(self, id_token: str | None) -> None:
        """After a stop the next start of this card (None: of any) is another one, even if it looks the same."""
        self.starts = {key: start for key, start in self.starts.items() if id_token not in (None, start[1])}
