"""One call of the API: how it is declared, what its function is given, and what becomes of its answer or its refusal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from aiohttp import web

from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.errors import Invalid, NotFound, Refusal
from appliance.domain.units import rfc3339
from appliance.services import idempotency
from appliance.services.idempotency import KEY_CHARS_MAX, Stored
from appliance.services.ports.stations import CommandFailed, FailureKind
from appliance.ui.api.checks import Parameter, body_of, query_of, validator
from appliance.ui.api.shapes import Schema, Shape, form, several, thing, whole, words
from appliance.ui.forms.forms import NUMBER_MAX, read_number
from appliance.ui.frame.context import CONSOLE, Console, Principal, principal
from appliance.ui.frame.errors import as_problem, command_failure
from appliance.ui.frame.language import N_, _
from appliance.ui.writing.formats import sentences

T = TypeVar("T")
Body = dict[str, Any]

PREFIX = "/api/v1"
LIMIT_MAX = 1000
LIMIT_DEFAULT = 100
IDEMPOTENCY_KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

PAGING = (
    Parameter("limit", whole("How many at most.", least=1, most=LIMIT_MAX)),
    Parameter("after", whole("The `next` of the page before.", least=0, most=NUMBER_MAX)),
)
EMPTY = form("Empty")

OF_COMMANDS = {
    FailureKind.OFFLINE: 409,
    FailureKind.NOT_SENT: 409,
    FailureKind.BUSY: 503,
    FailureKind.TIMEOUT: 504,
    FailureKind.LOST: 504,
}
"""What HTTP calls a command that failed; what a station refuses, or does not know, is 502."""


class KeyMissing(Refusal):
    """A call that moves money came without its Idempotency-Key."""

    status = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call says."""

    body: Body
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """What the function of a call is given."""

    request: web.Request
    console: Console
    body: Body
    query: Body
    now_ms: int

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return principal(self.request)

    @property
    def actor(self) -> str:
        """How the books call them."""
        return self.principal.actor

    @property
    def by(self) -> By:
        """Who asks, now."""
        return By(self.actor, self.now_ms)

    @property
    def currency(self) -> str:
        """The site's."""
        return self.console.site.currency

    @property
    def limit(self) -> int:
        """How many of a list."""
        return int(self.query.get("limit", LIMIT_DEFAULT))

    @property
    def after(self) -> int:
        """Where the page begins; 0: at the first."""
        return int(self.query.get("after", 0))

    def number(self, name: str = "id") -> int:
        """A number in the path; one that cannot be is not found."""
        found = read_number(self.request.match_info[name])
        if found is None:
            raise NotFound("There is no such thing.")
        return found

    def check_currency(self) -> None:
        """Refuse an amount that is meant in other money."""
        if self.body.get("currency", self.currency) != self.currency:
            raise Invalid("currency", "The currency of this site is {currency}.", currency=self.currency)


Function = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One route, declared once: checked, described and tested from this."""

    method: str
    path: str
    """Beneath the prefix."""
    summary: str
    answer: Function
    gives: Shape
    takes: Shape | None = None
    query: tuple[Parameter, ...] = ()
    status: int = 200
    listed: bool = False
    """Whether it gives a page of such records."""
    beside: Schema = field(default_factory=dict)
    """What stands beside the items of a list."""
    key: str = ""
    """Whether an Idempotency-Key is `needed`, or `possible`."""
    commands: bool = False
    """Whether a station is asked."""
    codes: bool = False
    """Whether it reads or gives codes that only the sealing key opens."""
    parts: tuple[Shape, ...] = ()
    """Shapes that `gives` refers to."""

    @property
    def route(self) -> str:
        """The path as registered."""
        return PREFIX + self.path

    @property
    def schema(self) -> Schema:
        """Of the body it gives."""
        if not self.listed:
            return self.gives.reference
        following = {
            "type": ["string", "null"],
            "description": "Ask for the next page with `after`; null: this is the last.",
        }
        return thing(items=several(self.gives.reference), next=following, **self.beside)


def routes(operations: Sequence[Operation]) -> list[web.RouteDef]:
    """The operations as aiohttp wants them."""
    return [web.route(operation.method, operation.route, _serving(operation)) for operation in operations]


def listed(
    rows: Sequence[T], limit: int, show: Callable[[T], Body], token: Callable[[T], object], **beside: Any
) -> Answer:
    """A page of a list. `rows` are one more than `limit`, if there are more."""
    following = str(token(rows[limit - 1])) if len(rows) > limit else None
    return Answer({"items": [show(row) for row in rows[:limit]], "next": following, **beside})


def at(moment_ms: int | None) -> str | None:
    """A time as it goes out."""
    return None if moment_ms is None else rfc3339(moment_ms)


# --- once only -----------------------------------------------------------------------------------------------------------


def key_of(call: Call, *, needed: bool) -> str | None:
    """The Idempotency-Key.

    Raises:
        KeyMissing, Invalid: There is none, or it cannot be one.
    """
    key = call.request.headers.get(IDEMPOTENCY_KEY)
    if key is None:
        if needed:
            raise KeyMissing(
                N_("This moves money, so it needs an Idempotency-Key."),
                N_("Send a new key with each new request, and the same key when you repeat one."),
            )
        return None
    if not 1 <= len(key) <= KEY_CHARS_MAX or not key.isascii() or not key.isprintable():
        raise Invalid(IDEMPOTENCY_KEY, "A key has 1 to {most} ASCII characters.", most=KEY_CHARS_MAX)
    return key


def fingerprint(call: Call) -> bytes:
    """All that tells one request from another, however its JSON is written."""
    return b" ".join(
        (call.request.method.encode(), call.request.path.encode(), orjson.dumps(call.body, option=orjson.OPT_SORT_KEYS))
    )


async def once(
    call: Call,
    unit: Callable[[Database, str], tuple[int, Body]],
    *,
    needed: bool = True,
    request: bytes | None = None,
) -> Answer:
    """Run a unit, or give the answer it gave before under this key. `unit` gets the name of its transfers.

    Without a key, where none is needed, that name is "" and each request is a new one. `request` is what tells one request from
    another where that is not the path, because there is a secret in it.
    """
    key = key_of(call, needed=needed)
    if key is None:
        status, body = await call.console.store.write(unit, "")
        return Answer(body, status)
    stored = await call.console.store.write(_once, call.by, key, request or fingerprint(call), unit)
    return stored_answer(stored)


async def known_answer(call: Call, key: str) -> Answer | None:
    """What was answered under this key before.

    Raises:
        KeyReused: To another request.
    """
    stored = await call.console.store.read(idempotency.known, call.actor, key, fingerprint(call))
    return None if stored is None else stored_answer(stored)


def stored_answer(stored: Stored) -> Answer:
    """As it was."""
    headers = {REPLAYED: "true"} if stored.repeated else {}
    return Answer(orjson.loads(stored.body), stored.status, headers)


def _once(db: Database, by: By, key: str, request: bytes, unit: Callable[[Database, str], tuple[int, Body]]) -> Stored:
    def rendered(name: str) -> tuple[int, str]:
        status, body = unit(db, name)
        return status, orjson.dumps(body).decode()

    return idempotency.once(db, by, key, request, rendered)


# --- serving -------------------------------------------------------------------------------------------------------------


def _serving(operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    check = validator(operation.takes.schema) if operation.takes else None
    return partial(_serve, operation, check)


async def _serve(operation: Operation, check: Any, request: web.Request) -> web.StreamResponse:
    try:
        query = query_of(request, operation.query)
        body = await body_of(request, operation.takes.schema, check) if operation.takes else {}
        console = request.app[CONSOLE]
        answer = await operation.answer(Call(request, console, body, query, console.clock()))
    except Refusal as refusal:
        return refused(refusal)
    except CommandFailed as failure:
        return failed(failure)
    response = web.Response(
        status=answer.status, body=orjson.dumps(answer.body), content_type="application/json", headers=answer.headers
    )
    if response.body_length > 4000:
        response.enable_compression()
    return response


def refused(refusal: Refusal) -> web.Response:
    """A refusal as a problem document."""
    detail, advice = sentences(refusal)
    field_name = refusal.field if isinstance(refusal, Invalid) else ""
    title = _title(refusal.status)
    return as_problem(
        refusal.status, title, detail, kind=_kind(type(refusal).__name__), field=field_name, advice=advice
    )


def failed(failure: CommandFailed) -> web.Response:
    """A command that a station did not answer, or refused."""
    status = OF_COMMANDS.get(failure.kind, 502)
    return as_problem(status, _("The charger did not do it"), command_failure(failure), kind=_kind(failure.kind))


def _title(status: int) -> str:
    match status:
        case 404:
            return _("There is no such thing")
        case 422 | 400 | 408 | 413 | 415:
            return _("This request cannot be read")
        case 409:
            return _("This cannot be done")
        case _:
            return HTTPStatus(status).phrase


def _kind(name: str) -> str:
    """`TooLittleMoney` is `urn:forecourt:problem:too-little-money`."""
    dashed = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name.replace("_", "-"))
    return f"urn:forecourt:problem:{dashed.strip('-')}"


PROBLEM = Shape(
    "Problem",
    {
        "type": "object",
        "properties": {
            "type": words("`about:blank`, or a name of this kind of problem that never changes."),
            "title": words(),
            "status": whole("The HTTP status."),
            "detail": words("What is wrong, as a sentence in the reader's language."),
            "advice": words("What to do about it."),
            "field": words("Which field or parameter is meant."),
            "reference": words("What the server's log calls it."),
        },
        "required": ["type", "title", "status", "detail"],
    },
)
"""RFC 9457."""
