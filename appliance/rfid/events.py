"""What a reader tells its desk, whether it is on this computer or on another one."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.domain.cards.tag import ReaderState, Seen


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The reader is in another state."""

    state: ReaderState


@dataclass(frozen=True, slots=True)
class CardLaid:
    """A card was laid on the reader and has been read; or one that could not be worked on has been found there again."""

    seen: Seen


@dataclass(frozen=True, slots=True)
class CardTaken:
    """The card is no longer there."""


ReaderEvent = StateChanged | CardLaid | CardTaken
