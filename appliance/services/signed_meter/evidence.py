"""The signed values of a session: what each says, whether its signature fits, and whether the energy is what was billed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement, tostring

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.sessions import signed_values
from appliance.domain.by import By
from appliance.domain.errors import Invalid
from appliance.domain.identifiers import StationId
from appliance.domain.signed import SignedValue
from appliance.services import audit
from appliance.services.signed_meter import ocmf
from appliance.services.signed_meter.ocmf import Container, NoContainer
from appliance.services.signed_meter.signatures import KEY_CHARS_MAX, Verdict, in_hex, verdict


@dataclass(frozen=True, slots=True)
class Piece:
    """One signed value."""

    value: SignedValue
    container: Container | None
    """None: it cannot be read."""
    verdict: Verdict
    sent_key: str
    """The public key that came along; "" for none."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of a session's."""

    pieces: tuple[Piece, ...]
    energy_wh: Decimal | None
    """By the meter; None: it does not say beginning and end."""
    key: str
    """The public key of the meter, as it was entered."""


def of_session(db: Readable, session: int, station: StationId, evse: int) -> Evidence:
    """Read and check it."""
    key = signed_values.key_of(db, station, evse)
    pieces = tuple(_piece(one, key) for one in signed_values.of_session(db, session))
    containers = [piece.container for piece in pieces if piece.container is not None]
    return Evidence(pieces, ocmf.energy_wh(containers), key)


def set_key(db: Database, station: StationId, evse: int, text: str, by: By) -> None:
    """The public key of a meter; "" forgets it.

    Raises:
        Invalid: It is no public key.
    """
    text = text.strip()
    if text and (len(text) > KEY_CHARS_MAX or not in_hex(text)):
        raise Invalid(
            "public_key",
            "This is no public key of a meter.",
            "Type it as it stands on the meter: hexadecimal, base64 or PEM.",
        )
    if text == signed_values.key_of(db, station, evse):
        return
    signed_values.set_key(db, station, evse, text)
    audit.record(db, by, "station.meter_key", f"station:{station}", evse=evse)


def as_xml(session: int, evidence: Evidence) -> str:
    """For the transparency software of S.A.F.E., with the key that is known, else with the one that came along."""
    root = Element("values")
    for piece in evidence.pieces:
        if piece.container is None:
            continue
        value = SubElement(root, "value", transactionId=str(session), context=piece.value.context or "Transaction.End")
        key = in_hex(evidence.key or piece.sent_key)
        if key:
            SubElement(value, "publicKey", encoding="hex").text = key
        SubElement(value, "signedData", format="OCMF", encoding="plain").text = piece.container.text
    return tostring(root, encoding="unicode", xml_declaration=True)


def _piece(value: SignedValue, known_key: str) -> Piece:
    text, sent_key = ocmf.unwrap(value.data)
    try:
        container = ocmf.read(text)
    except NoContainer:
        return Piece(value, None, Verdict.UNREADABLE, sent_key)
    return Piece(value, container, verdict(container, known_key, sent_key), sent_key)
