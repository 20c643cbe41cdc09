"""Who is asking: the cookie or the bearer token of a request, log-in and log-out, and delays for those who guess.

What each role may do is in `roles`; what a password must be, and what is kept of a log-in, in services/operators/operators.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler

from appliance.db import operators as rows
from appliance.db.engine.errors import DatabaseError
from appliance.db.engine.protocols import Readable
from appliance.db.operators import Facts
from appliance.domain.errors import Refusal
from appliance.services.operators import failed_log_ins, log_ins, passwords, tokens
from appliance.services.operators.failed_log_ins import FailedLogIns
from appliance.services.operators.log_ins import Ending
from appliance.ui.frame import kept, language
from appliance.ui.frame.browsers import mark_of
from appliance.ui.frame.context import CONSOLE, PRINCIPAL, Principal, PrincipalKind
from appliance.ui.frame.errors import API_PREFIX, as_problem
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import FACTS
from appliance.ui.frame.roles import may, standing

log = logging.getLogger(__name__)

T = TypeVar("T")

HEALTH = "/health"
TOUCH_EVERY_MS = 60_000
STAYS_S = 365 * 86_400
HASHING_WAITING_MAX = 10
GUESSES_FREE = 5
DELAY_S_MAX = 60
GUESSERS_MAX = 10_000
FORGOTTEN_AFTER_MS = 3_600_000
"""After so long without another one, wrong guesses no longer count: the slip of a colleague delays nobody for ever."""
UNKNOWN_HASH = "$2b$12$Q5XOVOTzxriBx8Edw.A0meiw7eLh10v9j5yKPHhXLbMdlwl5pcn.u"
"""Compared with when there is no such log-in, so that it takes as long as if there were."""


class TooSoon(Refusal):
    """Somebody who guessed wrong several times has to wait a moment."""

    status = 429


class WrongPassword(Refusal):
    """Log-in name and password do not belong together."""

    status = 401


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks and in which language, and whether they may."""
    console, token = request.app[CONSOLE], _token(request)
    try:
        who, facts, ending = await console.store.read(
            _principal_of, token, console.clock(), console.settings().guards_take_cash
        )
    except DatabaseError:
        if request.path != HEALTH:
            raise
        # Who watches this server hears that it is ill, and not that its health cannot be asked for.
        return web.Response(status=503, body=b'{"status":"failing"}', content_type="application/json")
    request[FACTS] = facts
    if who is None and token is not None and token[0] == PrincipalKind.PROGRAM:
        _leave_trace_of_token(request, token[1])
    if who is not None:
        request[PRINCIPAL] = who[0]
        if (
            who[1] + TOUCH_EVERY_MS < console.clock()
            and who[0].kind == PrincipalKind.OPERATOR
            and request.path != "/live"
        ):
            console.store.write_unheard(rows.touch, who[0].log_in, console.clock())
    language.speak(_language(request, who[0] if who else None, facts))
    refusal = await _refusal(request, who[0].role if who else None, ending)
    return refusal if refusal is not None else await handler(request)


def session_cookie(request: web.Request) -> str:
    """The cookie's name. A browser takes `__Host-` only over HTTPS, and then for this very host only."""
    return "__Host-sid" if request.secure else "sid"


@dataclass(frozen=True, slots=True)
class LogIn:
    """One that has just begun."""

    token: str
    operator: int
    stays: bool
    """It ends only when somebody ends it."""


async def log_in(request: web.Request, login: str, password: str) -> LogIn:
    """Begin one.

    Raises:
        WrongPassword, TooSoon: They do not belong together, or that was tried too often just now.
    """
    console = request.app[CONSOLE]
    address = request.remote or ""
    name = login.strip().casefold()[:64]
    known = await console.store.read(rows.credentials, name)
    operator, password_hash = known or (None, UNKNOWN_HASH)
    if not await compared(request, name, operator, password, password_hash) or operator is None:
        raise WrongPassword(N_("Log-in name and password do not belong together."))
    token = tokens.new_token()
    browser = request.headers.get("User-Agent", "")
    await console.store.write(log_ins.log_in, operator, token, address=address, browser=browser, now_ms=console.clock())
    stays = await console.store.read(log_ins.stays, operator)
    return LogIn(token, operator, stays)


async def compared(request: web.Request, name: str, operator: int | None, password: str, password_hash: str) -> bool:
    """Whether it is the password of `operator`: a guess, which counts before it is compared; one that was wrong leaves a trace.

    Raises:
        TooSoon: That was tried too often just now.
        HTTPServiceUnavailable: Too many of the same kind wait.
    """
    hashing, guard, console = request.app[HASHING], request.app[GUARD], request.app[CONSOLE]
    lane, place = await _lane(request, name, operator)
    hashing.need_room(lane)
    matches = False
    try:
        guard.attempt(name, place, console.clock())
        matches = await hashing.matches(password, password_hash, lane)
        if not matches:
            guard.wait(name, place, console.clock())
    finally:
        if not matches:
            _leave_trace(request, operator)
    if matches and operator is not None:
        guard.succeeded(name, place)
    return matches


async def _lane(request: web.Request, name: str, operator: int | None) -> tuple[Lane, str]:
    """Behind whom a guess waits, and what it is counted under: the browser or address from which it comes."""
    console, address, mark = request.app[CONSOLE], request.remote or "", mark_of(request)
    places, known_there = await console.store.read(_known_at, address, operator)
    if mark is not None:
        if mark.operator == operator:
            request.app[GUARD].trust(name, mark.place)
        return Lane.BROWSER, mark.place
    if known_there:
        request.app[GUARD].trust(name, address)
    return (Lane.ADDRESS if places else Lane.STRANGER), address


def _known_at(db: Readable, address: str, operator: int | None) -> tuple[bool, bool]:
    """Whether anybody has logged in from an address, and whether this operator has."""
    who = rows.logged_in_from(db, address)
    return bool(who), operator in who


def _leave_trace(request: web.Request, operator: int | None) -> None:
    console, address = request.app[CONSOLE], request.remote or ""
    trace = request.app[FAILED].note(address, console.clock())
    log.warning("a log-in failed", extra={"address": address, "operator": operator})
    if trace.row or trace.problem:
        console.store.write_unheard(failed_log_ins.record, trace, operator, address, console.clock())


def _leave_trace_of_token(request: web.Request, token_hash: bytes) -> None:
    console, address = request.app[CONSOLE], request.remote or ""
    trace = request.app[FAILED_TOKENS].note(address, console.clock())
    if trace.row or trace.problem:
        log.warning("tokens that open nothing were sent", extra={"address": address})
        console.store.write_unheard(failed_log_ins.record_token, trace, token_hash, address, console.clock())


async def check_new_password(request: web.Request, password: str, login: str, name: str) -> None:
    """Refuse what is guessed first at this site.

    Raises:
        Invalid: See services/operators/passwords.py.
    """
    site_words = await request.app[CONSOLE].store.read(rows.site_words)
    passwords.check_password(
        password, login=login, name=name, site_name=request[FACTS].site_name, site_words=site_words
    )


def carry(request: web.Request, response: web.StreamResponse, token: str, *, stays: bool = False) -> None:
    """Give the browser its token: until it is closed, or to keep (`stays`), as for a screen on a wall that may lose its power."""
    response.set_cookie(
        session_cookie(request), token, path="/", httponly=True, secure=request.secure, samesite="Strict",
        max_age=STAYS_S if stays else None,
    )  # fmt: skip


def drop(request: web.Request, response: web.StreamResponse) -> None:
    """Take the token away again."""
    response.del_cookie(session_cookie(request), path="/", secure=request.secure, httponly=True, samesite="Strict")


class Lane(StrEnum):
    """Whose passwords wait behind whose: strangers, however many, hold up nobody who is known."""

    STRANGER = "stranger"
    ADDRESS = "address"
    """From where somebody has logged in before."""
    BROWSER = "browser"
    """With which somebody has logged in before, or is logged in."""


class Hashing:
    """bcrypt in a thread for each lane: it takes a quarter of a second and must hold up neither the loop nor the store."""

    def __init__(self) -> None:
        self._pools = {lane: ThreadPoolExecutor(1, thread_name_prefix=f"hashing {lane}") for lane in Lane}
        self._waiting = dict.fromkeys(Lane, 0)

    async def hash(self, password: str, lane: Lane = Lane.STRANGER) -> str:
        """The hash to be kept."""
        return await self._run(lane, partial(passwords.hash_password, password))

    async def matches(self, password: str, password_hash: str, lane: Lane = Lane.STRANGER) -> bool:
        """Whether it is the password."""
        return await self._run(lane, partial(passwords.password_matches, password, password_hash))

    def close(self) -> None:
        """Let the threads end."""
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)

    def need_room(self, lane: Lane) -> None:
        """Refuse (503) what would have to wait behind too many."""
        if self._waiting[lane] >= HASHING_WAITING_MAX:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "3"})

    async def _run(self, lane: Lane, work: Callable[[], T]) -> T:
        self.need_room(lane)
        self._waiting[lane] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pools[lane], work)
        finally:
            self._waiting[lane] -= 1


@dataclass(slots=True)
class Guard:
    """Growing delays for wrong passwords, per log-in name, per address, and per name at an address; nobody is ever locked out.

    Somebody else's guesses do not delay an address from which this name has logged in before; its own guesses there do.
    What counts at an address are the guesses at all names: a success takes those back that were at its own.
    """

    guesses: OrderedDict[str, tuple[int, int]] = field(default_factory=OrderedDict)
    """By name, address or both: how often in a row, and when the next try is heard."""
    trusted: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)

    def check(self, login: str, address: str, now_ms: int) -> None:
        """Raises TooSoon while the delay lasts."""
        until_ms = max(self.guesses.get(key, (0, 0))[1] for key in self._keys(login, address))
        if until_ms > now_ms:
            raise TooSoon(
                N_("That was wrong several times."),
                N_("Try again in {seconds} s."),
                seconds=-(-(until_ms - now_ms) // 1000),
            )

    def attempt(self, login: str, address: str, now_ms: int) -> None:
        """A try that is about to be compared, or TooSoon. It counts as a wrong one from now on, so that of many at once only
        those before the delay are heard; `succeeded` takes it back.
        """
        self.check(login, address, now_ms)
        self.failed(login, address, now_ms)

    def failed(self, login: str, address: str, now_ms: int) -> None:
        """Another wrong one."""
        for key in (_at_name(login), _at_address(address), _at_both(login, address)):
            count, until_ms = self.guesses.pop(key, (0, 0))
            count = 1 if until_ms + FORGOTTEN_AFTER_MS < now_ms else count + 1
            self.guesses[key] = (count, now_ms + _delay_ms(count))
        while len(self.guesses) > GUESSERS_MAX:
            self.guesses.popitem(last=False)

    def wait(self, login: str, address: str, now_ms: int) -> None:
        """The wrong one is about to be answered: from now on the delay runs, for to compare may have taken as long."""
        for key in (_at_name(login), _at_address(address), _at_both(login, address)):
            if (guessed := self.guesses.get(key)) is not None:
                self.guesses[key] = (guessed[0], max(guessed[1], now_ms + _delay_ms(guessed[0])))

    def succeeded(self, login: str, address: str) -> None:
        """It was the right one: what was guessed at this name is forgotten, what was guessed at others from there is not."""
        own, _until_ms = self.guesses.pop(_at_both(login, address), (0, 0))
        count, until_ms = self.guesses.pop(_at_address(address), (0, 0))
        if count > own:
            self.guesses[_at_address(address)] = (count - own, until_ms if count - own >= GUESSES_FREE else 0)
        self.guesses.pop(_at_name(login), None)
        self.trust(login, address)

    def trust(self, login: str, address: str) -> None:
        """This name has logged in from there before."""
        self.trusted[login, address] = None
        while len(self.trusted) > GUESSERS_MAX:
            self.trusted.popitem(last=False)

    def _keys(self, login: str, address: str) -> list[str]:
        keys = [_at_address(address), _at_both(login, address)]
        if (login, address) not in self.trusted:
            keys.append(_at_name(login))
        return keys


def _delay_ms(count: int) -> int:
    return 0 if count < GUESSES_FREE else min(DELAY_S_MAX, 2 ** (count - GUESSES_FREE)) * 1000


def _at_name(login: str) -> str:
    return f"login {login}"


def _at_address(address: str) -> str:
    return f"address {address}"


def _at_both(login: str, address: str) -> str:
    return f"login {login} from {address}"


HASHING = web.AppKey("hashing", Hashing)
FAILED = web.AppKey("failed log-ins", FailedLogIns)
FAILED_TOKENS = web.AppKey("failed tokens", FailedLogIns)
GUARD = web.AppKey("guard", Guard)


def _token(request: web.Request) -> tuple[PrincipalKind, bytes] | None:
    """The kind and the hash of what a request carries. Tokens open the API only, cookies the pages and the API."""
    scheme, _blank, bearer = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and request.path.startswith((API_PREFIX, HEALTH, "/metrics")):
        return PrincipalKind.PROGRAM, tokens.hash_token(bearer.strip())
    cookie = request.cookies.get(session_cookie(request))
    return (PrincipalKind.OPERATOR, tokens.hash_token(cookie)) if cookie else None


def _principal_of(
    db: Readable, token: tuple[PrincipalKind, bytes] | None, now_ms: int, guards_take_cash: bool
) -> tuple[tuple[Principal, int] | None, Facts, Ending | None]:
    """Who comes with this token and when they were last seen, what the frame shows, and why a log-in holds no more: one lookup
    for each request.
    """
    facts = rows.facts(db)
    if token is None:
        return None, facts, None
    kind, digest = token
    if kind == PrincipalKind.PROGRAM:
        program = rows.token(db, digest)
        if program is None:
            return None, facts, None
        return (Principal(PrincipalKind.PROGRAM, program.id, program.name, program.role, ""), now_ms), facts, None
    visit = log_ins.visit(db, digest, now_ms)
    if visit is None:
        return None, facts, log_ins.why_ended(db, digest)
    who = Principal(
        PrincipalKind.OPERATOR,
        visit.operator,
        visit.name,
        standing(visit.role, guards_take_cash=guards_take_cash),
        visit.language,
        log_in=visit.log_in,
        login=visit.login,
    )
    return (who, visit.seen_at_ms), facts, None


def _language(request: web.Request, who: Principal | None, facts: Facts) -> str:
    if who is not None:
        return who.language or facts.site_language
    chosen = request.query.get("lang", "")
    if chosen in language.LANGUAGES:
        return chosen
    return language.preferred(request.headers.get("Accept-Language", "")) or facts.site_language


async def _refusal(request: web.Request, role: str | None, ending: Ending | None) -> web.StreamResponse | None:
    """What is answered to somebody who may not; None when they may, or when there is no such page."""
    resource = request.match_info.route.resource
    if resource is None:
        return None
    path = resource.canonical
    if may(role, request.method, path):
        return None
    if role is not None:
        raise web.HTTPForbidden
    if request.path.startswith(API_PREFIX):
        headers = {"WWW-Authenticate": "Bearer"}
        return as_problem(401, _("Who are you?"), _("Send a token: Authorization: Bearer …"), headers=headers)
    if request.headers.get("Accept", "").startswith("text/event-stream"):
        raise web.HTTPForbidden
    about = await _way_back(request) | ({"ended": str(ending)} if ending is not None else {})
    return web.Response(status=303, headers={"Location": f"/login?{urlencode(about)}" if about else "/login"})


async def _way_back(request: web.Request) -> dict[str, str]:
    """Where to go on after the log-in: to the page asked for, or to that of the form that was sent too late, which is kept."""
    if request.method != "POST":
        return {"next": request.path_qs} if request.path != "/" else {}
    if request.path == "/logout":
        return {}
    page = await kept.page_behind(request)
    return {"next": page, "kept" if await kept.keep(request, page) else "too_late": "1"}


async def close_hashing(app: web.Application) -> None:
    """At the end of the program."""
    await asyncio.to_thread(app[HASHING].close)
