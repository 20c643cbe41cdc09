"""Whatever a tariff says and a session does, its bill is what an independent reckoning, minute by minute, makes of it."""

from __future__ import annotations

from random import Random

import pytest

from appliance.domain.pricing.reckoning import price
from tests.support.random_tariffs import ZONES, random_terms, random_usage
from tests.support.repricer import reprice


def agree(seed: int) -> None:
    chance = Random(seed)
    terms, usage, zone = random_terms(chance), random_usage(chance), chance.choice(ZONES)
    bill, again = price(usage, terms, zone), reprice(usage, terms, zone)
    lines = {line.line: line.amount_minor for line in bill.lines if line.line is not None}
    told = f"random session {seed} in {zone}"
    assert lines == again.lines, told
    assert (bill.tax_minor, bill.total_minor) == (again.tax_minor, again.total_minor), told
    limited = [line.amount_minor for line in bill.lines if line.line is None]
    assert bool(limited) == bool(again.limit_minor), told
    assert (
        bill.net_minor + bill.tax_minor
        == bill.total_minor
        == sum(line.amount_minor for line in bill.lines) + (0 if terms.tax_included else bill.tax_minor)
    ), told
    assert sum(tax.tax_minor for tax in bill.taxes) == bill.tax_minor, told
    assert min(bill.net_minor, bill.tax_minor, bill.total_minor) >= 0, told


@pytest.mark.parametrize("block", range(8))
def test_bill_is_what_an_independent_reckoning_makes_of_it(block: int) -> None:
    for seed in range(block * 50, block * 50 + 50):
        agree(seed)


@pytest.mark.soak
@pytest.mark.parametrize("block", range(100))
def test_bill_is_what_an_independent_reckoning_makes_of_it_a_hundred_thousand_times(block: int) -> None:
    for seed in range(10_000 + block * 1000, 10_000 + (block + 1) * 1000):
        agree(seed)
