"""All statements of a month, or those of a group: what was charged and paid, and what is still to be paid."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.db.engine.protocols import Readable
from appliance.db.people import groups as group_rows
from appliance.db.people.groups import Group
from appliance.db.statements import statements as rows
from appliance.db.statements.statements import Issued
from appliance.domain import statement as rules
from appliance.domain.identifiers import GroupId
from appliance.domain.statement import Settled
from appliance.services.statements.statements import need_month, state_of
from appliance.ui.forms.forms import read_number
from appliance.ui.frame.context import CONSOLE, Page
from appliance.ui.frame.language import _
from appliance.ui.frame.render import formats_of, render
from appliance.ui.wording.statements import STATES, month_word
from appliance.ui.writing import exports
from appliance.ui.writing.exports import Column, Kind, Table

MONTHS_SHOWN = 12
URGENCY = (Settled.OVERDUE, Settled.PART, Settled.OPEN, Settled.SETTLED, Settled.NOTHING_DUE)


@dataclass(frozen=True, slots=True)
class Line:
    """One statement in the list."""

    issued: Issued
    tone: str
    icon: str
    word: str
    rest_minor: int


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """A month."""

    month: str
    word: str
    runs: bool
    months: list[tuple[str, str]]
    lines: list[Line]
    group: Group | None
    groups: list[Group]
    sums: tuple[int, int, int, int, int]
    """Before, sessions, all that came in or went out else, after, still to be paid."""


async def show(request: web.Request) -> web.Response:
    """`GET /statements?month=&group=`: what is overdue first."""
    console, fmt = request.app[CONSOLE], formats_of(request)
    now = rules.month_of(console.clock(), console.site.zone)
    asked = request.query.get("month", "")
    month = need_month(asked, now) if asked else rules.moved(now, -1)
    group = read_number(request.query.get("group", ""))
    found, groups = await console.store.read(_read, month, group, console.clock())
    lines = [_line(*one) for one in found]
    lines.sort(key=lambda one: [STATES[state] for state in URGENCY].index((one.tone, one.icon, one.word)))
    last = max(month, min(now, rules.moved(month, MONTHS_SHOWN // 2)))
    shown = [rules.moved(last, -number) for number in range(MONTHS_SHOWN)]
    page = OverviewPage(
        month,
        month_word(month, fmt),
        month == now,
        [(one, month_word(one, fmt)) for one in shown],
        lines,
        next((one for one in groups if one.id == group), None),
        groups,
        _sums(lines),
    )
    return render(request, "statements/overview.html", page)


async def export(request: web.Request) -> web.StreamResponse:
    """`GET /statements.csv` and `.xlsx`, with the same filters."""
    console, currency = request.app[CONSOLE], request.app[CONSOLE].site.currency
    asked, now = request.query.get("month", ""), rules.month_of(console.clock(), console.site.zone)
    month = need_month(asked, now) if asked else now
    group = read_number(request.query.get("group", ""))
    found, _groups = await console.store.read(_read, month, group, console.clock())
    lines = [_line(*one) for one in found]
    sums = _sums(lines)

    async def all_rows() -> AsyncIterator[Sequence[exports.Row]]:
        yield [
            (
                one.issued.number, one.issued.names.buyer.name or one.issued.names.person, one.issued.names.buyer.tax_number,
                one.issued.names.group, one.issued.before_minor, one.issued.sums.sessions, one.issued.sums.topups, one.issued.sums.refunds,
                one.issued.sums.corrections, one.issued.after_minor, _(one.word), one.rest_minor,
            )
            for one in lines
        ]  # fmt: skip

    amounts = (_("Balance before"), _("Charged"), _("Topped up"), _("Paid out"), _("Corrected"), _("Balance after"))
    table = Table(
        name=f"statements-{month}",
        title=_("Statements"),
        columns=(
            Column(_("Number"), Kind.COUNT),
            Column(_("Person")),
            Column(_("Tax number")),
            Column(_("Group")),
            *(Column(f"{word} ({currency})", Kind.MONEY) for word in amounts),
            Column(_("State")),
            Column(_("To be paid ({currency})").format(currency=currency), Kind.MONEY),
        ),
        rows=all_rows(),
        totals=lambda: (
            None, _("Total"), None, None, sums[0], sums[1], None, None, None, sums[3], None, sums[4],
        ),
    )  # fmt: skip
    return await exports.send(request, table, request.match_info["ending"], formats_of(request))


def _line(issued: Issued, state: Settled, paid_minor: int) -> Line:
    rest_minor = max(0, -issued.after_minor - paid_minor) if state is not Settled.NOTHING_DUE else 0
    return Line(issued, *STATES[state], rest_minor)


def _sums(lines: Sequence[Line]) -> tuple[int, int, int, int, int]:
    issued = [one.issued for one in lines]
    return (
        sum(one.before_minor for one in issued),
        sum(one.sums.sessions for one in issued),
        sum(one.sums.total - one.sums.sessions for one in issued),
        sum(one.after_minor for one in issued),
        sum(one.rest_minor for one in lines),
    )


def _read(
    db: Readable, month: str, group: int | None, now_ms: int
) -> tuple[list[tuple[Issued, Settled, int]], list[Group]]:
    found = rows.of_month(db, month, GroupId(group) if group is not None else None)
    return [(one, *state_of(db, one, now_ms)) for one in found], group_rows.all_by_name(db)


PAGE = Page(routes=[web.get("/statements", show), web.get("/statements.{ending}", export)])
