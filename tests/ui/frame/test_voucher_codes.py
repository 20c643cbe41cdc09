"""Guesses of vouchers: each counts before the next one is looked at."""

from __future__ import annotations

import asyncio

from aiohttp.test_utils import make_mocked_request

from appliance.db.engine.store import nothing
from appliance.services.vouchers import codes
from appliance.services.vouchers.vouchers import NoSuchVoucher
from appliance.ui.frame.auth import GUESSES_FREE, TooSoon
from appliance.ui.frame.context import PRINCIPAL, Principal, PrincipalKind
from appliance.ui.frame.voucher_codes import read_voucher
from tests.ui.console_fixture import ConsoleFixture


async def test_of_many_at_once_only_those_before_the_delay_are_looked_for(served: ConsoleFixture) -> None:
    request = make_mocked_request("POST", "/vouchers/find", app=served.server.app)
    request[PRINCIPAL] = Principal(PrincipalKind.OPERATOR, 7, "Till", "cashier", "")
    answers = await asyncio.gather(
        *(read_voucher(request, codes.new_code()) for _ in range(30)), return_exceptions=True
    )
    heard = sum(isinstance(one, NoSuchVoucher) for one in answers)
    assert heard == GUESSES_FREE
    assert sum(isinstance(one, TooSoon) for one in answers) == 30 - heard
    await served.store.write(nothing)
    rows = await served.store.read(
        lambda db: db.execute("SELECT actor FROM audit WHERE action = 'voucher.guess'").fetchall()
    )
    assert rows == [("operator:7",)] * heard
