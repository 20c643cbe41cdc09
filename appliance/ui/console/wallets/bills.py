"""Bills of sessions: the list, and each one as a page to print on a roll or on A4, in the holder's language, as often as the law asks."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from appliance.db import tariffs
from appliance.db.engine.protocols import Readable
from appliance.db.lists import Part, Window
from appliance.db.people import people
from appliance.db.people.people import Person
from appliance.db.wallets import bills as rows
from appliance.db.wallets.bills import Paper
from appliance.domain.errors import NotFound
from appliance.domain.identifiers import PersonId
from appliance.domain.tariff import Tariff
from appliance.ui.console.printing import print_paper, print_to
from appliance.ui.console.wallets import receipts
from appliance.ui.forms.forms import number_of, read_number
from appliance.ui.forms.listing import Paging, Sort
from appliance.ui.frame import language
from appliance.ui.frame.context import CONSOLE, Page
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import formats_of, render, render_part
from appliance.ui.wording.bill_lines import bill_lines, tax_word

ROWS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class ListPage:
    """Some of them, the newest first."""

    papers: list[Paper]
    person: Person | None
    number: str
    paging: Paging


@dataclass(frozen=True, slots=True)
class BillPage:
    """One bill or credit note, and how it is printed."""

    bill: Paper
    paper: str
    papers: list[tuple[str, str, str]]
    """Value, word, address."""
    tongues: list[tuple[str, str, str]]
    tongue: str
    """Whose language it is in, or which."""
    slips: list[Markup]
    """The bill itself, once for each copy, in its own language."""
    back: str
    print_now: bool
    print_to: str
    """Where the form goes that prints on the printer of receipts; "" where only the browser prints."""
    again: bool
    """Printing it has failed."""


async def show_list(request: web.Request) -> web.Response:
    """`GET /bills?person=&number=`."""
    store, number = request.app[CONSOLE].store, request.query.get("number", "").strip().lstrip("#")
    if number:
        found = await store.read(rows.find, read_number(number) or 0)
        if found is not None:
            return web.Response(status=303, headers={"Location": f"/bills/{found.number}"})
    sort, person = Sort.of(request, {"number": "-number"}, "-number"), read_number(request.query.get("person", ""))
    part, about = await store.read(_read_list, sort.window(request, ROWS_AT_ONCE), person)
    paging = Paging.of(request, part, lambda one: one.number)
    return render(request, "wallets/bills.html", ListPage(part.rows, about, number, paging))


async def show(request: web.Request) -> web.Response:
    """`GET /bills/{number}?paper=&language=&print=&back=`."""
    store, number = request.app[CONSOLE].store, number_of(request, "number")
    bill, tariff = await store.read(_read, number)
    holders = receipts.holders_language(request, bill.particulars.language)
    paper, tongue = receipts.paper_of(request), receipts.tongue_of(request, holders)
    back = receipts.back_of(request)
    page = BillPage(
        bill,
        paper,
        receipts.papers_of(request),
        receipts.tongues_of(request, holders),
        receipts.whose_language(tongue, holders),
        _copies(request, bill, tariff, tongue, paper),
        back,
        request.query.get("print") == "1",
        print_to(request, f"/bills/{bill.number}", language=tongue, back=back),
        request.query.get("again") == "1",
    )
    response = receipts.remember_paper(request, render(request, "wallets/bill.html", page), paper)
    return receipts.remember_language(request, response)


async def print_one(request: web.Request) -> web.Response:
    """`POST /bills/{number}/print?language=&back=`: on the printer of receipts, with its copies."""
    bill, tariff = await request.app[CONSOLE].store.read(_read, number_of(request, "number"))
    tongue = receipts.tongue_of(request, receipts.holders_language(request, bill.particulars.language))
    slips = _copies(request, bill, tariff, tongue, receipts.paper_of(request))
    word = _("Bill {number}") if bill.kind == "bill" else _("Credit note {number}")
    path = f"/bills/{bill.number}"
    return await print_paper(
        request, "".join(slips), word.format(number=bill.number), path, back=receipts.back_of(request)
    )


def _copies(request: web.Request, bill: Paper, tariff: Tariff, tongue: str, paper: str) -> list[Markup]:
    """As often as the owner wants it."""
    copies = request.app[CONSOLE].settings().bill_copies
    return [slip(request, bill, tariff, tongue, paper, (copy, copies)) for copy in range(1, copies + 1)]


def slip(
    request: web.Request, bill: Paper, tariff: Tariff, tongue: str, paper: str, copy: tuple[int, int] = (1, 1)
) -> Markup:
    """What is printed, in the customer's language; `copy` is which of how many."""
    spoken, console = language.spoken(), request.app[CONSOLE]
    language.speak(tongue)
    try:
        fmt, said = formats_of(request), bill.particulars
        asked_from_minor = console.settings().buyer_from_minor
        html = render_part(
            console, None, "wallets/_bill_slip.html", bill=bill, said=said, paper=paper, tongue=tongue, copy=copy,
            lines=bill_lines(said.lines, tariff, fmt), taxes=[(tax_word(one, fmt), one.tax_minor) for one in said.taxes],
            sign=-1 if bill.total_minor < 0 else 1, asks_buyer=0 < asked_from_minor < abs(bill.total_minor),
        )  # fmt: skip
    finally:
        language.speak(spoken)
    return Markup(html)  # noqa: S704  # a template of ours, where all values are escaped


def _read(db: Readable, number: int) -> tuple[Paper, Tariff]:
    bill = rows.find(db, number)
    if bill is None:
        raise NotFound(N_("There is no such bill."))
    tariff = tariffs.find(db, bill.particulars.tariff)
    assert tariff is not None, "tariffs are archived, and never deleted"
    return bill, tariff


def _read_list(db: Readable, window: Window, person: int | None) -> tuple[Part[Paper], Person | None]:
    about = people.find(db, PersonId(person)) if person is not None else None
    if person is not None and about is None:
        raise NotFound(N_("There is no such person."))
    return rows.part(db, window, person=about.id if about is not None else None), about


PAGE = Page(
    routes=[
        web.get("/bills", show_list),
        web.get("/bills/{number}", show),
        web.post("/bills/{number}/print", print_one),
    ]
)
