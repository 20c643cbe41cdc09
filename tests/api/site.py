"""A whole site for tests of the API: a real database, the stations' listener and the console's, and a client of each call.

Every answer is compared with the OpenAPI document, strictly: a field or a status that is not described fails the test.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from jsonschema_rs import Draft202012Validator

from appliance.db import site as sites
from appliance.db.engine.store import Store
from appliance.domain.by import By
from appliance.domain.clock import system_clock
from appliance.domain.site import Site
from appliance.host.addresses import Address
from appliance.host.listeners import Listeners, listen
from appliance.host.secrets import SealingKey
from appliance.ocpp.admission.endpoint import StationsListener, open_stations
from appliance.ocpp.settings import StationSettings
from appliance.services.announce import Hub
from appliance.services.card_desk.taps import DeskKey
from appliance.services.operators import tokens
from appliance.services.stations.commands import RemoteControl
from appliance.services.stations.credentials import hash_password
from appliance.ui.api.app import DOCUMENT, PAGES
from appliance.ui.console.app import create_console
from appliance.ui.frame.context import Console
from tests.support.one_desk import OneDesk
from tests.support.schema import prepare

JSON = dict[str, Any]
SITE = Site("Gulshan yard", "BDT", 2, "Asia/Dhaka", "en")
SITE_KEY = bytes(range(32))
PREFIX = "/api/v1"
keys = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    body: Any
    headers: Any

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


class Client:
    """A program with a token."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = url
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def get(self, path: str, **query: Any) -> Answer:
        """A call that reads."""
        return await self.call("GET", path, query=query)

    async def post(self, path: str, body: Any = None, *, key: str | None = None, **more: Any) -> Answer:
        """A call that does something."""
        headers = {"Idempotency-Key": key} if key is not None else {}
        return await self.call("POST", path, body=body if body is not None else {}, headers=headers, **more)

    async def pay(self, path: str, body: Any) -> Answer:
        """A call that moves money, under a new key."""
        return await self.post(path, body, key=f"key-{next(keys)}")

    async def call(
        self, method: str, path: str, *, body: Any = None, query: Any = None, headers: Any = None, raw: Any = None
    ) -> Answer:
        """Any call; `raw` is sent as it is."""
        sent = {**self.headers, **(headers or {})}
        content = raw
        if body is not None:
            content, sent = json.dumps(body).encode(), {"Content-Type": "application/json", **sent}
        parameters = {name: str(value) for name, value in query.items()} if isinstance(query, dict) else query
        async with self._session.request(
            method, self._url + PREFIX + path, data=content, params=parameters or None, headers=sent
        ) as response:
            text = await response.read()
            answer = Answer(response.status, orjson.loads(text), response.headers)
        check(method, path, answer)
        return answer

    async def ask(self, path: str, **headers: str) -> tuple[int, str]:
        """Something outside the API: status and text."""
        async with self._session.get(self._url + path, headers=self.headers | headers) as response:
            return response.status, await response.text()

    async def stream(self, path: str = "/events") -> aiohttp.ClientResponse:
        """A stream of events."""
        return await self._session.get(self._url + PREFIX + path, headers=self.headers)

    def join(self, name: str, **headers: str) -> aiohttp.client._WSRequestContextManager:
        """The websocket of a desk on another computer."""
        url = f"{self._url}{PREFIX}/desks/join?name={name}"
        return self._session.ws_connect(url, headers=self.headers | headers)


@dataclass(slots=True)
class Running:
    """The site, as it runs."""

    store: Store
    console: Console
    application: web.Application
    listener: StationsListener
    url: str
    stations_url: str
    session: aiohttp.ClientSession
    desk: OneDesk

    async def client(self, role: str = "owner") -> Client:
        """A program of this role."""
        token = await self.store.write(tokens.create_token, f"a test as {role}", role, by=By("console", system_clock()))
        return Client(self.session, self.url, token)

    def nobody(self) -> Client:
        """A program without a token."""
        return Client(self.session, self.url, "")


@asynccontextmanager
async def open_site(folder: Path) -> AsyncIterator[Running]:
    """Everything the API needs, on free ports."""
    path = folder / "forecourt.db"
    prepare(path)
    async with AsyncExitStack() as stack:
        hub = Hub()
        store = Store(path, announce=hub.announce)
        await store.open()
        stack.push_async_callback(store.close)
        await store.write(sites.create, SITE, SITE_KEY, system_clock())
        listener = await stack.enter_async_context(open_stations(store, hub, StationSettings(), SITE_KEY, system_clock))
        control = RemoteControl(store, listener.commands, hub, system_clock)
        stack.push_async_callback(control.close)
        key = DeskKey(SITE_KEY, "http://127.0.0.1:8081/card/")
        desk = await stack.enter_async_context(OneDesk(store, hub, key, system_clock).running())
        console = Console(
            store=store,
            hub=hub,
            clock=system_clock,
            site=SITE,
            stations=listener.commands,
            control=control,
            hash_station_password=functools.partial(hash_password, SITE_KEY),
            counters=listener.counters,
            desks=desk,
            desk_key=key,
            vault=SealingKey(SITE_KEY),
        )
        application = create_console(console, more=PAGES)
        listeners = Listeners()
        await listen(stack, listeners, "console", application, Address("127.0.0.1", 0), None)
        await listen(stack, listeners, "stations", listener.application, Address("127.0.0.1", 0), None)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Running(
            store, console, application, listener, listeners.urls["console"], listeners.urls["stations"], session, desk
        )


# --- the document ----------------------------------------------------------------------------------------------------------


def check(method: str, path: str, answer: Answer) -> None:
    """Compare an answer with what the document says of it."""
    operation = described(method, path)
    if operation is None:
        return
    response = operation["responses"].get(str(answer.status))
    assert response is not None, f"{method} {path} answered {answer.status}, which is not described: {answer.body}"
    content_type, content = next(iter(response["content"].items()))
    assert answer.headers["Content-Type"].split(";")[0] == content_type
    errors = [
        f"{list(error.instance_path)}: {error.message}" for error in _validator(_name(content)).iter_errors(answer.body)
    ]
    assert not errors, f"{method} {path}: {errors}"


def described(method: str, path: str) -> JSON | None:
    """The operation of a path with values in it."""
    for template, operations in DOCUMENT.content["paths"].items():
        theirs, ours = template.split("/"), path.split("/")
        fits = len(theirs) == len(ours) and all(a == b or a.startswith("{") for a, b in zip(theirs, ours, strict=True))
        if fits and method.lower() in operations:
            found: JSON = operations[method.lower()]
            return found
    return None


def _name(content: JSON) -> str:
    return orjson.dumps(content["schema"]).decode()


@functools.cache
def _validator(schema: str) -> Draft202012Validator:
    components = orjson.loads(orjson.dumps(_strict(DOCUMENT.content["components"])))
    return Draft202012Validator(_strict(orjson.loads(schema)) | {"components": components})


def _strict(schema: Any) -> Any:
    """The same, with no field allowed that is not described."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    stricter = {name: _strict(one) for name, one in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        stricter["additionalProperties"] = False
    return stricter
