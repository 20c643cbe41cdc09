"""How a 1.6 station measures while it charges: the configuration keys of meter values (9.1), read and put right. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from appliance.services.ports.stations import Sampling, Variable

INTERVAL, MEASURANDS, MEASURANDS_MAX = (
    "MeterValueSampleInterval",
    "MeterValuesSampledData",
    "MeterValuesSampledDataMaxLength",
)
ALIGNED_INTERVAL, ALIGNED_MEASURANDS = "ClockAlignedDataInterval", "MeterValuesAlignedData"
KEYS = (INTERVAL, MEASURANDS, MEASURANDS_MAX, ALIGNED_INTERVAL, ALIGNED_MEASURANDS)
REGISTER = "Energy.Active.Import.Register"
TELLING = frozenset({REGISTER.casefold(), "energy.active.import.interval"})
"""By what a session's energy is known."""


def sampling_of(variables: Iterable[Variable]) -> Sampling:
    """What the keys say: by the clock or by the transaction, whichever tells the register, and is the more frequent."""
    found = by_key(variables)
    kinds = (
        (number_in(found, INTERVAL), tells(found, MEASURANDS)),
        (number_in(found, ALIGNED_INTERVAL), tells(found, ALIGNED_MEASURANDS)),
    )
    useful = [(interval_s, telling) for interval_s, telling in kinds if interval_s and telling is not False]
    return Sampling(*min(useful, key=lambda kind: kind[0], default=kinds[0]))


def changes(variables: Iterable[Variable], interval_s: int) -> list[tuple[str, tuple[str, ...]]]:
    """What is to be changed so that a reading with the register comes at least so often: keys, each with the values to be tried.

    What measures more often, or more, is left as it is.
    """
    found = by_key(variables)
    wanted: list[tuple[str, tuple[str, ...]]] = []
    measures_s = number_in(found, INTERVAL)
    if measures_s is not None and not 0 < measures_s <= interval_s and is_writable(found, INTERVAL):
        wanted.append((INTERVAL, (str(interval_s),)))
    if tells(found, MEASURANDS) is False and is_writable(found, MEASURANDS):
        most = number_in(found, MEASURANDS_MAX) or None
        names = [REGISTER, *listed(found[MEASURANDS.casefold()].value)][:most]
        wanted.append((MEASURANDS, tuple(dict.fromkeys((",".join(names), REGISTER)))))
    return wanted


def by_key(variables: Iterable[Variable]) -> dict[str, Variable]:
    """Keys are told in any case (9)."""
    return {one.name.variable.casefold(): one for one in variables}


def is_writable(found: dict[str, Variable], key: str) -> bool:
    """Whether the station lets it be changed, as far as it says."""
    return not found[key.casefold()].readonly


def number_in(found: dict[str, Variable], key: str) -> int | None:
    """A number of seconds or of values; None: it does not say."""
    variable = found.get(key.casefold())
    return number(variable.value) if variable is not None else None


def number(value: str | None) -> int | None:
    """A count, however it is written."""
    text = (value or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None


def tells(found: dict[str, Variable], key: str) -> bool | None:
    """Whether these measurands tell the register; None: it does not say."""
    variable = found.get(key.casefold())
    if variable is None or variable.value is None:
        return None
    return any(name.casefold() in TELLING for name in listed(variable.value))


def listed(value: str | None) -> list[str]:
    """The names of a list in text."""
    return [name.strip() for name in (value or "").split(",") if name.strip()]
