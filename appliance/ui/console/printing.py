"""Papers on the printer of receipts, where the owner has set one up; else the browser prints."""

from __future__ import annotations

from aiohttp import web

from appliance.domain.slip import Row, Style
from appliance.services.ports.printers import NotPrinted, Outcome
from appliance.ui.forms.way_back import with_query
from appliance.ui.frame.context import CONSOLE, Page
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import FACTS, done, formats_of
from appliance.ui.wording.printing import outcome_sentence, trouble_words
from appliance.ui.writing.slips import read_slips

BOOKED = N_("What was booked is booked.")
LOOK = N_("Look whether it came out: this printer does not say so itself.")


def print_to(request: web.Request, path: str, **query: str) -> str:
    """Where a form is sent that prints the paper of `path`; "" where only browsers print."""
    console = request.app[CONSOLE]
    has_printer = console.printing is not None and console.settings().printer
    return with_query(f"{path}/print", **query) if has_printer else ""


async def print_paper(
    request: web.Request, html: str, what: str, path: str, *, back: str = "", drawer: bool = False
) -> web.Response:
    """Print the slips of a page, and go back; where that fails, on to the paper, which can be printed again."""
    printing = request.app[CONSOLE].printing
    if printing is None:
        raise web.HTTPNotFound
    try:
        outcome = await printing.send(read_slips(html), drawer=drawer)
    except NotPrinted as failed:
        why, remedy = trouble_words(failed.trouble)
        sentence = _("{what} is not printed.").format(what=what)
        again = with_query(path, again="1", language=request.query.get("language", ""), back=back)
        return done(request, again, f"{sentence} {why} {remedy} {_(BOOKED)}", "failed")
    return done(request, back or path, outcome_sentence(what, outcome))


async def test(request: web.Request) -> web.Response:
    """`POST /settings/printer`: a slip that shows all that may go wrong on paper."""
    printing, fmt = request.app[CONSOLE].printing, formats_of(request)
    if printing is None:
        raise web.HTTPNotFound
    now_ms = request.app[CONSOLE].clock()
    slip = (
        Row(Style.TITLE, request[FACTS].site_name),
        Row(Style.MIDDLE, _("Test of the printer")),
        Row(Style.MIDDLE, f"{fmt.day(now_ms)}, {fmt.time(now_ms)}"),
        Row(Style.AMOUNT, fmt.money(123_456)),
        Row(Style.RULE),
        Row(Style.PLAIN, "English", "0123456789"),
        Row(Style.PLAIN, "বাংলা", "০১২৩৪৫৬৭৮৯"),
        Row(Style.SUM, _("Left edge"), _("Right edge")),
    )
    try:
        outcome = await printing.send([slip])
    except NotPrinted as failed:
        return done(request, "/settings?q=printer", " ".join(trouble_words(failed.trouble)), "failed")
    sentence = outcome_sentence(_("Test of the printer"), outcome)
    sentence += "" if outcome is Outcome.PRINTED else f" {_(LOOK)}"
    return done(request, "/settings?q=printer", sentence)


PAGE = Page(routes=[web.post("/settings/printer", test)])
