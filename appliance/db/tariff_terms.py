"""The lines of a tariff as one text in its row: they never change, and are read as a whole."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from typing import Any

import orjson

from appliance.domain.pricing.lines import Conditions, Dimension, PriceLine, Tax, Terms, Unit

SETS = ("weekdays", "methods", "groups")
TERMS_KEPT = 256
"""Read once each: every tile asks for the tariff of its session."""
ALWAYS = Conditions()


def to_text(terms: Terms | None) -> str | None:
    """As it is stored; conditions that are not given are left out."""
    if terms is None:
        return None
    content = {
        "lines": [_line_to_json(line) for line in terms.lines],
        "taxes": [[tax.code, tax.basis_points] for tax in terms.taxes],
        "tax_included": terms.tax_included,
        "minimum_minor": terms.minimum_minor,
        "maximum_minor": terms.maximum_minor,
        "gaps_are_free": terms.gaps_are_free,
    }
    return orjson.dumps(content).decode()


@lru_cache(maxsize=TERMS_KEPT)
def from_text(text: str) -> Terms:
    """What `to_text` made of it."""
    content = orjson.loads(text)
    return Terms(
        tuple(_line_from_json(line) for line in content.pop("lines")),
        tuple(Tax(*tax) for tax in content.pop("taxes")),
        **content,
    )


def _line_to_json(line: PriceLine) -> dict[str, Any]:
    conditions = {
        field.name: sorted(value) if field.name in SETS else value
        for field in fields(Conditions)
        if (value := getattr(line.conditions, field.name)) != getattr(ALWAYS, field.name)
    }
    return {
        "dimension": line.dimension,
        "price_milli": line.price_milli,
        "unit": line.unit,
        "taxes": line.taxes,
        "conditions": conditions,
    }


def _line_from_json(line: dict[str, Any]) -> PriceLine:
    conditions: dict[str, Any] = {
        name: frozenset(value) if name in SETS else value for name, value in line["conditions"].items()
    }
    return PriceLine(
        Dimension(line["dimension"]),
        line["price_milli"],
        Unit(line["unit"]),
        tuple(line["taxes"]),
        Conditions(**conditions),
    )
