"""Codes of vouchers as people and programs type them: wrong guesses make whoever guesses wait longer and longer."""

from __future__ import annotations

import asyncio

from aiohttp import web

from appliance.db import vouchers as rows
from appliance.domain.errors import Invalid, Refusal
from appliance.services.vouchers import codes, vouchers
from appliance.services.vouchers.codes import Asked
from appliance.ui.frame.auth import Guard
from appliance.ui.frame.context import CONSOLE, asked_by

GUESSES = web.AppKey("guesses of vouchers", Guard)
LOOKING = web.AppKey("codes that are looked for", asyncio.Lock)


def install(app: web.Application) -> None:
    """What the console's application keeps of it while the server runs."""
    app[GUESSES] = Guard()
    app[LOOKING] = asyncio.Lock()


async def read_voucher(request: web.Request, text: str, *, code_only: bool = False) -> Asked:
    """The voucher that a text names; a code that nobody has printed is a guess of whoever asks, and of their address.

    A right one does not make guesses forgotten, or a single paper would let its owner guess all others.

    Raises:
        Invalid: It is neither a code nor a number, or a number where `code_only`.
        NoSuchVoucher, TooSoon: It was guessed, or guessed too often just now.
        KeyIsMissing: No code is known here.
    """
    console, by, address = request.app[CONSOLE], asked_by(request), request.remote or ""
    asked = codes.read_code(console.vault, text) if code_only else codes.read(console.vault, text)
    if asked.code_hash is None:
        return asked
    # One after the other, so that of many at once only those before the delay are looked for.
    async with request.app[LOOKING]:
        request.app[GUESSES].check(by.actor, address, by.at_ms)
        if await console.store.read(rows.is_code, asked.code_hash):
            return asked
        request.app[GUESSES].failed(by.actor, address, by.at_ms)
    console.store.write_unheard(vouchers.guessed, address, by)
    raise vouchers.no_such_voucher()


def beside_code(refusal: Refusal) -> Refusal:
    """What is wrong with a voucher is a word about the code that was typed."""
    if isinstance(refusal, Invalid) or refusal.status not in (404, 409, 429):
        return refusal
    return Invalid("code", refusal.message, refusal.advice, **refusal.values)
