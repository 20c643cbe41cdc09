"""Who may do what: one table of every route of the console and the API, and the roles that may use it.

What is not in the table answers 403, whoever asks; `tests/ui/test_roles.py` walks all routes and roles. A page asks
`may(...)` before it shows a button, so that nobody is offered what they would be refused.
"""

from __future__ import annotations

from functools import lru_cache

from appliance.services.operators import Role

Route = tuple[str, str]
"""Method and path as registered."""

OWNER = frozenset({Role.OWNER})
MANAGERS = OWNER | {Role.MANAGER}
DESK = MANAGERS | {Role.CASHIER}
YARD = DESK | {Role.GUARD}
TECHNICIANS = MANAGERS | {Role.INSTALLER}
OPERATING = YARD | {Role.INSTALLER}
ALL = frozenset(Role)
DEBUGGING = OWNER | {Role.INSTALLER}
READING = DESK | {Role.VIEWER}
"""Sessions and reports; viewers are shown no telephone numbers."""
SEES_PHONES = DESK
"""Who is shown telephone numbers."""
OPEN: frozenset[Role] = frozenset()
"""For anybody, logged in or not."""

ROUTES: dict[Route, frozenset[Role]] = {
    # The frame. `OPEN` routes are also listed in `WITHOUT_LOG_IN`.
    ("GET", "/setup"): OPEN,
    ("POST", "/setup"): OPEN,
    ("GET", "/login"): OPEN,
    ("POST", "/login"): OPEN,
    ("GET", "/ca.crt"): OPEN,
    ("GET", "/static"): OPEN,
    ("POST", "/logout"): ALL,
    ("GET", "/live"): ALL,
    ("GET", "/search"): ALL,
    ("GET", "/more"): ALL,
    ("GET", "/account"): ALL,
    ("POST", "/account/password"): ALL,
    ("POST", "/account/language"): ALL,
    ("POST", "/account/log-ins/{log_in}/end"): ALL,
    # The board.
    ("GET", "/"): ALL,
    ("GET", "/stations/{identity}/{evse}/start"): YARD,
    ("POST", "/stations/{identity}/{evse}/start"): YARD,
    ("GET", "/stations/{identity}/{evse}/stop"): YARD,
    ("POST", "/stations/{identity}/{evse}/stop"): YARD,
    ("GET", "/stations/{identity}/{evse}/unlock"): OPERATING,
    ("POST", "/stations/{identity}/{evse}/unlock"): OPERATING,
    ("GET", "/stations/{identity}/{evse}/close"): TECHNICIANS,
    ("POST", "/stations/{identity}/{evse}/close"): TECHNICIANS,
    ("GET", "/stations/{identity}/{evse}/open"): TECHNICIANS,
    ("POST", "/stations/{identity}/{evse}/open"): TECHNICIANS,
    # Stations.
    ("GET", "/stations"): OPERATING,
    ("GET", "/stations/new"): TECHNICIANS,
    ("POST", "/stations/new"): TECHNICIANS,
    ("GET", "/stations/{identity}"): OPERATING,
    ("GET", "/stations/{identity}/approve"): TECHNICIANS,
    ("POST", "/stations/{identity}/approve"): TECHNICIANS,
    ("POST", "/stations/{identity}/dismiss"): TECHNICIANS,
    ("GET", "/stations/{identity}/retire"): TECHNICIANS,
    ("POST", "/stations/{identity}/retire"): TECHNICIANS,
    ("POST", "/stations/{identity}/name"): TECHNICIANS,
    ("GET", "/stations/{identity}/security"): TECHNICIANS,
    ("POST", "/stations/{identity}/security"): TECHNICIANS,
    ("GET", "/stations/{identity}/reset"): TECHNICIANS,
    ("POST", "/stations/{identity}/reset"): TECHNICIANS,
    ("GET", "/stations/{identity}/variables"): TECHNICIANS,
    ("POST", "/stations/{identity}/variables"): TECHNICIANS,
    ("POST", "/stations/{identity}/trigger"): TECHNICIANS,
    ("GET", "/stations/{identity}/call"): DEBUGGING,
    ("POST", "/stations/{identity}/call"): DEBUGGING,
    ("GET", "/stations/{identity}/messages"): TECHNICIANS,
    ("GET", "/stations/{identity}/messages.jsonl"): TECHNICIANS,
    # What needs a hand, and what was done.
    ("GET", "/problems"): OPERATING,
    ("POST", "/problems/{problem}/acknowledge"): OPERATING,
    ("GET", "/audit"): MANAGERS,
    # The site.
    ("GET", "/settings"): MANAGERS,
    ("POST", "/settings"): MANAGERS,
    ("POST", "/settings/site"): MANAGERS,
    ("GET", "/operators"): OWNER,
    ("POST", "/operators"): OWNER,
    ("GET", "/operators/{operator}"): OWNER,
    ("POST", "/operators/{operator}"): OWNER,
    ("POST", "/operators/{operator}/password"): OWNER,
    ("POST", "/operators/{operator}/disable"): OWNER,
    ("POST", "/operators/{operator}/enable"): OWNER,
    ("POST", "/tokens"): OWNER,
    ("POST", "/tokens/{token}/revoke"): OWNER,
    # People, cards, groups, tariffs, sessions, reports.
    ("GET", "/people"): DESK,
    ("GET", "/people/new"): DESK,
    ("POST", "/people/new"): DESK,
    ("GET", "/people/{person}"): DESK,
    ("GET", "/people/{person}/edit"): DESK,
    ("POST", "/people/{person}/edit"): DESK,
    ("GET", "/people/{person}/leave"): MANAGERS,
    ("POST", "/people/{person}/leave"): MANAGERS,
    ("POST", "/people/{person}/return"): DESK,
    ("GET", "/people/{person}/topup"): DESK,
    ("POST", "/people/{person}/topup"): DESK,
    ("GET", "/people/{person}/refund"): MANAGERS,
    ("POST", "/people/{person}/refund"): MANAGERS,
    ("GET", "/people/{person}/correction"): MANAGERS,
    ("POST", "/people/{person}/correction"): MANAGERS,
    ("GET", "/cards"): DESK,
    ("GET", "/cards/new"): DESK,
    ("POST", "/cards/new"): DESK,
    ("GET", "/cards/{card}"): DESK,
    ("POST", "/cards/{card}"): DESK,
    ("GET", "/cards/{card}/block"): DESK,
    ("POST", "/cards/{card}/block"): DESK,
    ("POST", "/cards/{card}/unblock"): DESK,
    ("GET", "/cards/{card}/replace"): DESK,
    ("POST", "/cards/{card}/replace"): DESK,
    ("GET", "/groups"): DESK,
    ("GET", "/groups/new"): MANAGERS,
    ("POST", "/groups/new"): MANAGERS,
    ("GET", "/groups/{group}"): MANAGERS,
    ("POST", "/groups/{group}"): MANAGERS,
    ("GET", "/tariffs"): DESK,
    ("GET", "/tariffs/new"): MANAGERS,
    ("POST", "/tariffs/new"): MANAGERS,
    ("GET", "/tariffs/{tariff}"): MANAGERS,
    ("POST", "/tariffs/{tariff}"): MANAGERS,
    ("GET", "/tariffs/{tariff}/default"): MANAGERS,
    ("POST", "/tariffs/{tariff}/default"): MANAGERS,
    ("GET", "/tariffs/{tariff}/archive"): MANAGERS,
    ("POST", "/tariffs/{tariff}/archive"): MANAGERS,
    ("GET", "/sessions"): READING,
    ("GET", "/sessions.{ending}"): READING,
    ("GET", "/sessions/{session}"): READING,
    ("POST", "/sessions/{session}/acknowledge"): MANAGERS,
    ("GET", "/reports"): READING,
    ("GET", "/reports.{ending}"): READING,
    # The API, and what monitoring programs ask; /metrics itself looks who asks.
    ("GET", "/health"): OPEN,
    ("GET", "/metrics"): OPEN,
    ("GET", "/api/v1/openapi.json"): OPEN,
    ("GET", "/api/v1/events"): ALL,
    ("GET", "/api/v1/stations"): ALL,
    ("POST", "/api/v1/stations"): TECHNICIANS,
    ("GET", "/api/v1/stations/{id}"): ALL,
    ("PATCH", "/api/v1/stations/{id}"): TECHNICIANS,
    ("POST", "/api/v1/stations/{id}/approve"): TECHNICIANS,
    ("POST", "/api/v1/stations/{id}/retire"): TECHNICIANS,
    ("POST", "/api/v1/stations/{id}/start"): YARD,
    ("POST", "/api/v1/stations/{id}/stop"): YARD,
    ("POST", "/api/v1/stations/{id}/unlock"): OPERATING,
    ("POST", "/api/v1/stations/{id}/reset"): TECHNICIANS,
    ("POST", "/api/v1/stations/{id}/availability"): TECHNICIANS,
    ("POST", "/api/v1/stations/{id}/trigger"): TECHNICIANS,
    ("GET", "/api/v1/stations/{id}/variables"): TECHNICIANS,
    ("PUT", "/api/v1/stations/{id}/variables"): TECHNICIANS,
    ("POST", "/api/v1/stations/{id}/calls"): DEBUGGING,
    ("GET", "/api/v1/sessions"): READING,
    ("GET", "/api/v1/sessions/{id}"): READING,
    ("GET", "/api/v1/sessions/{id}/samples"): READING,
    ("GET", "/api/v1/people"): DESK,
    ("POST", "/api/v1/people"): DESK,
    ("GET", "/api/v1/people/{id}"): DESK,
    ("PATCH", "/api/v1/people/{id}"): DESK,
    ("POST", "/api/v1/people/{id}/close"): MANAGERS,
    ("POST", "/api/v1/people/{id}/reopen"): DESK,
    ("POST", "/api/v1/people/{id}/topups"): DESK,
    ("POST", "/api/v1/people/{id}/refunds"): MANAGERS,
    ("POST", "/api/v1/people/{id}/corrections"): MANAGERS,
    ("GET", "/api/v1/people/{id}/ledger"): DESK,
    ("GET", "/api/v1/groups"): DESK,
    ("POST", "/api/v1/groups"): MANAGERS,
    ("GET", "/api/v1/groups/{id}"): DESK,
    ("PATCH", "/api/v1/groups/{id}"): MANAGERS,
    ("GET", "/api/v1/cards"): DESK,
    ("POST", "/api/v1/cards"): DESK,
    ("GET", "/api/v1/cards/{id}"): DESK,
    ("PATCH", "/api/v1/cards/{id}"): DESK,
    ("POST", "/api/v1/cards/{id}/block"): DESK,
    ("POST", "/api/v1/cards/{id}/unblock"): DESK,
    ("POST", "/api/v1/cards/{id}/replace"): DESK,
    ("GET", "/api/v1/tariffs"): READING,
    ("POST", "/api/v1/tariffs"): MANAGERS,
    ("GET", "/api/v1/tariffs/{id}"): READING,
    ("POST", "/api/v1/tariffs/{id}/default"): MANAGERS,
    ("POST", "/api/v1/tariffs/{id}/replace"): MANAGERS,
    ("DELETE", "/api/v1/tariffs/{id}"): MANAGERS,
    ("GET", "/api/v1/reports/stations"): READING,
    ("GET", "/api/v1/ledger/accounts"): MANAGERS,
    ("GET", "/api/v1/ledger/transfers"): MANAGERS,
    ("GET", "/api/v1/ledger/trial-balance"): MANAGERS,
    ("GET", "/api/v1/problems"): OPERATING,
    ("POST", "/api/v1/problems/{id}/acknowledge"): OPERATING,
}

WITHOUT_LOG_IN = frozenset(route for route, roles in ROUTES.items() if roles == OPEN)


@lru_cache(maxsize=4096)
def may(role: str | None, method: str, path: str) -> bool:
    """Whether somebody of `role` (None: nobody) may use the route registered as `path`."""
    route = ("GET" if method == "HEAD" else method, path)
    return route in WITHOUT_LOG_IN or (role is not None and role in ROUTES.get(route, OPEN))
