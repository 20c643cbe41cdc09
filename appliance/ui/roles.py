"""Who may do what: one table of every route of the console and the API, and the roles that may use it.

What is not in the table answers 403, whoever asks; `tests/ui/test_roles.py` walks all routes and roles. A page asks
`may(...)` before it shows a button, so that nobody is offered what they would be refused.
"""

from __future__ import annotations

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
    # The API.
}

WITHOUT_LOG_IN = frozenset(route for route, roles in ROUTES.items() if roles == OPEN)


def may(role: str | None, method: str, path: str) -> bool:
    """Whether somebody of `role` (None: nobody) may use the route registered as `path`."""
    route = ("GET" if method == "HEAD" else method, path)
    return route in WITHOUT_LOG_IN or (role is not None and role in ROUTES.get(route, OPEN))
