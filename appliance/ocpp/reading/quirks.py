"""What some makes of stations do in their own way, as data: each row with the symptom and where it was reported.

A quirk only changes how a station's messages are read. What every station may do wrong is mended in `normalise`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quirks:
    """How the messages of a station are read differently."""

    distrust_clock: bool = False
    """Its times are not those of the event: the time of receipt is used."""
    energy_factor: int = 1
    """What its register readings must be multiplied by to be what their unit says."""


NONE = Quirks()


@dataclass(frozen=True, slots=True)
class Row:
    """Stations whose vendor and model begin so, in any case."""

    vendor: str
    model: str
    quirks: Quirks
    symptom: str
    source: str


TABLE = (
    Row(
        "growatt",
        "",
        Quirks(distrust_clock=True),
        "sends its local time marked as UTC, hours away from the truth",
        "evcc-io/evcc#10399",
    ),
)


def quirks_of(vendor: str, model: str, table: tuple[Row, ...] = TABLE) -> Quirks:
    """The quirks of a make; the first row that fits."""
    vendor, model = vendor.strip().casefold(), model.strip().casefold()
    for row in table:
        if vendor.startswith(row.vendor) and model.startswith(row.model):
            return row.quirks
    return NONE
