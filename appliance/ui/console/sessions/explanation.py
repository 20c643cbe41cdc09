"""How the amount of a session came about: readings, prices, rounding, taxes. To be read aloud at the desk, and to be printed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.db.wallets.bills import Paper
from appliance.domain.identifiers import SessionId
from appliance.domain.site import Site
from appliance.services.sessions import explaining
from appliance.services.sessions.explaining import Explanation, ReadingRow, Stands
from appliance.services.sessions.review import Choice
from appliance.ui.forms.forms import number_of, read_number
from appliance.ui.frame.context import CONSOLE
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import render
from appliance.ui.wording import price_lines
from appliance.ui.wording.explanations import ExplainedShown, explained_in_words
from appliance.ui.writing import exports
from appliance.ui.writing.exports import Column, Kind
from appliance.ui.writing.formats import Formats, formats

READINGS_SHOWN_MAX = 1_500
"""A reading a minute for a day; what is beyond is in the file."""
WORDS = {
    Stands.SO_FAR: N_("so far"),
    Stands.OFFERED: N_("if it is billed"),
    Stands.BILLED: N_("billed"),
    Stands.NOTHING: N_("nothing is billed"),
}


@dataclass(frozen=True, slots=True)
class BeforeShown:
    """A bill that a credit note took back."""

    paper: Paper
    energy_wh: int
    explained: ExplainedShown


@dataclass(frozen=True, slots=True)
class ExplanationPage:
    """One amount of a session."""

    explanation: Explanation
    stands: str
    tariff_name: str
    limits: list[str]
    explained: ExplainedShown
    agrees: bool
    """Whether it comes to what is shown or was booked."""
    readings: Sequence[ReadingRow]
    readings_more: int
    """How many there are besides: all are in the file."""
    offered: list[tuple[int, bool]]
    """The energy of each figure that it may be billed for, and whether it is the one that is shown."""
    before: list[BeforeShown]


async def show(request: web.Request) -> web.Response:
    """`GET /sessions/{session}/explanation`."""
    console, number = request.app[CONSOLE], SessionId(number_of(request, "session"))
    energy_wh = read_number(request.query.get("energy_wh", ""))
    found = await console.store.read(explaining.explain, number, console.clock(), energy_wh)
    return render(request, "sessions/explanation.html", build(found, console.site))


async def export(request: web.Request) -> web.StreamResponse:
    """`GET /sessions/{session}/readings.{ending}`: all of them, as a file."""
    console, number = request.app[CONSOLE], SessionId(number_of(request, "session"))
    fmt = formats(console.site.currency, console.site.exponent, console.site.zone)
    found = await console.store.read(explaining.explain, number, console.clock())
    table = exports.Table(
        name=f"readings-{number}",
        title=_("Readings of session {number}").format(number=number),
        columns=(
            Column(_("Time"), Kind.MOMENT),
            Column(_("Meter (kWh)"), Kind.ENERGY),
            Column(_("In the interval (kWh)"), Kind.ENERGY),
            Column(_("Session so far (kWh)"), Kind.ENERGY),
        ),
        rows=_rows(found.readings),
    )
    return await exports.send(request, table, request.match_info["ending"], fmt)


async def _rows(readings: Sequence[ReadingRow]) -> AsyncIterator[Sequence[exports.Row]]:
    yield [tuple(one) for one in readings]


def build(found: Explanation, site: Site) -> ExplanationPage:
    """The page out of what was read."""
    fmt = formats(site.currency, site.exponent, site.zone)
    tariff = found.session.tariff
    return ExplanationPage(
        found,
        _(WORDS[found.stands]),
        tariff.name if tariff is not None else "",
        price_lines.limits_in_words(tariff.terms, fmt) if tariff is not None and tariff.terms is not None else [],
        explained_in_words(found.explained, tariff, found.readings, fmt),
        found.explained.total_minor == found.told_minor,
        found.readings[:READINGS_SHOWN_MAX],
        max(0, len(found.readings) - READINGS_SHOWN_MAX),
        [(one.figure.usage.energy_wh, _is_shown(one, found)) for one in found.offered],
        [_before(one, found, fmt) for one in found.before],
    )


def _is_shown(one: Choice, found: Explanation) -> bool:
    return found.stands is Stands.OFFERED and one.figure.usage.energy_wh == found.usage.energy_wh


def _before(one: explaining.Before, found: Explanation, fmt: Formats) -> BeforeShown:
    return BeforeShown(
        one.paper,
        one.usage.energy_wh,
        explained_in_words(one.explained, found.session.tariff, found.readings, fmt),
    )


ROUTES = [
    web.get("/sessions/{session}/explanation", show),
    web.get("/sessions/{session}/readings.{ending}", export),
]
