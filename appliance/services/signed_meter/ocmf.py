"""OCMF, the Open Charge Metering Format of S.A.F.E.: `OCMF|<payload>|<signature>`, two JSON objects of which the first is signed
letter by letter.

What is wrong with it is no error of ours: it is unreadable, and is kept and shown as it came.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from appliance.services.foreign_json import read_json

HEAD = "OCMF"
PARTS = 3
READINGS_MAX = 1000
DEFAULT_METHOD = "ECDSA-secp256r1-SHA256"
FACTORS = {"kWh": 1000, "Wh": 1}
VALUE_WH_MAX = 10**13
WRAPPED_MAX = 2
"""Base64 within the JSON of OCPP's SignedMeterValueType within a value is as deep as it is seen."""


class NoContainer(ValueError):
    """It is no OCMF."""


@dataclass(frozen=True, slots=True)
class MeterReading:
    """A register at a moment; `kind` is B for the beginning, E for the end, and other letters between (TX)."""

    at: str
    """As it stands there: `2026-11-24T22:12:04,000+0600 S`."""
    kind: str
    register: str
    """Its OBIS code (RI)."""
    wh: Decimal | None
    """None: it is in no unit of energy."""


@dataclass(frozen=True, slots=True)
class Container:
    """One OCMF, read."""

    text: str
    """Whole, as transparency software reads it."""
    payload: str
    """What is signed, letter by letter."""
    method: str
    """`ECDSA-secp256r1-SHA256`."""
    signature: bytes
    """As DER (SM application/x-der)."""
    meter: str
    """Its serial number."""
    readings: tuple[MeterReading, ...]


def unwrap(data: str) -> tuple[str, str]:
    """The OCMF in a signed value, and the public key that came along ("" for none): as it is, in base64 or hexadecimal, or in the JSON
    of OCPP's SignedMeterValueType.
    """
    key = ""
    for _ in range(WRAPPED_MAX):
        text = data.strip()
        if text.startswith(f"{HEAD}|"):
            break
        if text.startswith("{"):
            try:
                found = read_json(text)
            except ValueError:
                break
            key = found["publicKey"] if isinstance(found.get("publicKey"), str) else key
            data = found["signedMeterData"] if isinstance(found.get("signedMeterData"), str) else ""
            continue
        data = _decoded(text)
    return data.strip(), key


def read(text: str) -> Container:
    """Take it apart.

    Raises:
        NoContainer: It is none.
    """
    head, _, rest = text.partition("|")
    payload, bar, signed = rest.rpartition("|")
    if head != HEAD or not bar:
        raise NoContainer
    said, signature = _object(payload), _object(signed)
    method, data = signature.get("SA", DEFAULT_METHOD), signature.get("SD")
    if not isinstance(method, str) or not isinstance(data, str):
        raise NoContainer
    readings = said.get("RD")
    if not isinstance(readings, list) or not 0 < len(readings) <= READINGS_MAX:
        raise NoContainer
    return Container(
        text,
        payload,
        method[:50],
        _bytes(data, signature.get("SE", "hex")),
        str(said.get("MS", ""))[:50],
        _readings(readings),
    )


def readable(values: Iterable[str]) -> list[Container]:
    """What of signed values is OCMF."""
    found = []
    for data in values:
        with suppress(NoContainer):
            found.append(read(unwrap(data)[0]))
    return found


def energy_wh(containers: list[Container]) -> Decimal | None:
    """What the meter says was taken from the beginning to the end, in one container or in two; None: it does not say both."""
    begun: dict[str, Decimal] = {}
    ended: dict[str, Decimal] = {}
    for container in containers:
        for one in container.readings:
            if one.wh is None:
                continue
            if one.kind == "B":
                begun.setdefault(one.register, one.wh)
            elif one.kind in ("E", "L", "R", "A", "P"):
                ended[one.register] = one.wh
    both = [register for register in begun if register in ended]
    return ended[both[0]] - begun[both[0]] if both else None


def _object(text: str) -> dict[str, Any]:
    try:
        found = read_json(text)
    except ValueError:
        raise NoContainer from None
    if not isinstance(found, dict):
        raise NoContainer
    return found


def _readings(found: list[Any]) -> tuple[MeterReading, ...]:
    """What is left out of one stands as in the one before it."""
    readings: list[MeterReading] = []
    at = kind = register = unit = ""
    for one in found:
        if not isinstance(one, dict):
            raise NoContainer
        at, kind, register, unit = (
            _words(one, name, before) for name, before in (("TM", at), ("TX", ""), ("RI", register), ("RU", unit))
        )
        readings.append(MeterReading(at, kind, register, _wh(one.get("RV"), unit)))
    return tuple(readings)


def _words(one: dict[str, Any], name: str, before: str) -> str:
    found = one.get(name, before)
    return found[:50] if isinstance(found, str) else before


def _wh(value: Any, unit: str) -> Decimal | None:
    if unit not in FACTORS or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value)[:40]) * FACTORS[unit]
    except ArithmeticError:
        return None
    return found if found.is_finite() and abs(found) <= VALUE_WH_MAX else None


def _bytes(data: str, encoding: Any) -> bytes:
    try:
        return base64.b64decode(data, validate=True) if encoding == "base64" else bytes.fromhex(data)
    except (binascii.Error, ValueError):
        raise NoContainer from None


def _decoded(text: str) -> str:
    """From base64 or hexadecimal; as it is, if it is neither."""
    for decode in (bytes.fromhex, lambda one: base64.b64decode(one, validate=True)):
        try:
            return decode(text).decode("utf-8")
        except (binascii.Error, ValueError):
            continue
    return text
