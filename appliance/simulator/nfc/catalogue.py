"""All kinds of simulated cards under their names, and their contents in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc import genuine, ntag
from appliance.simulator.nfc.cards import Card
from appliance.simulator.nfc.classic import ClassicCard
from appliance.simulator.nfc.felica import FelicaCard
from appliance.simulator.nfc.ntag import Model, PasswordCard
from appliance.simulator.nfc.ntag424 import Ntag424Card
from appliance.simulator.nfc.type2 import Type2Copy
from appliance.simulator.nfc.type4 import Telephone, Type4Card
from appliance.simulator.nfc.ultralight_c import UltralightCCard

TELEPHONE: Final = "Telephone"
"""Not a kind of card: the desk says of it that it does not know it."""

Pair = tuple[bytes, bytes]
"""UID, and the maker's signature over it."""


def _password_card(model: Model, pairs: tuple[Pair, ...]) -> Callable[[bytes | None], Card]:
    def make(uid: bytes | None) -> Card:
        return PasswordCard(model, uid, signature=dict(pairs).get(uid or b""))

    return make


MAKERS: Final[dict[str, Callable[[bytes | None], Card]]] = {
    Kind.NTAG213: _password_card(ntag.NTAG213, genuine.NTAG21X),
    Kind.NTAG215: _password_card(ntag.NTAG215, genuine.NTAG21X),
    Kind.NTAG216: _password_card(ntag.NTAG216, genuine.NTAG21X),
    Kind.ULTRALIGHT_EV1: _password_card(ntag.ULTRALIGHT_EV1, genuine.ULTRALIGHT_EV1),
    Kind.ULTRALIGHT_C: UltralightCCard,
    Kind.NTAG424: lambda uid: Ntag424Card(uid, signature=dict(genuine.NTAG424).get(uid or b"")),
    Kind.TYPE4: Type4Card,
    Kind.FELICA: FelicaCard,
    Kind.CLASSIC: ClassicCard,
    Kind.TYPE2: Type2Copy,
    TELEPHONE: lambda _uid: Telephone(),
}
GENUINE: Final[dict[str, tuple[Pair, ...]]] = {
    Kind.NTAG213: genuine.NTAG21X,
    Kind.NTAG215: genuine.NTAG21X,
    Kind.NTAG216: genuine.NTAG21X,
    Kind.ULTRALIGHT_EV1: genuine.ULTRALIGHT_EV1,
    Kind.NTAG424: genuine.NTAG424,
}


def make(kind: str, uid: bytes | None = None) -> Card:
    """A card as it comes out of the box.

    Args:
        kind: A name of MAKERS.
        uid: 7 bytes, of Classic 4, of FeliCa 8; random if not given. With one of `genuine` the card has its signature.

    Raises:
        KeyError: There is no such kind.
    """
    return MAKERS[kind](uid)


def genuine_uid(kind: str, used: set[bytes]) -> bytes | None:
    """A UID with a known signature that is not in use yet; None when they have run out."""
    return next((uid for uid, _signature in GENUINE.get(kind, ()) if uid not in used), None)


def save(path: Path, content: dict[str, Any]) -> None:
    """Write a file that is either the old or the new one, whatever happens meanwhile."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(content))
    beside.chmod(0o600)
    os.replace(beside, path)  # noqa: PTH105


def load(path: Path) -> dict[str, Any] | None:
    """What `save` wrote; None if there is nothing, or nothing that can be read."""
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None
