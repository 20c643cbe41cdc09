"""Receipts: the list, and each one as a page to print on a roll of 58 or 80 mm or on A4, in the customer's language."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from appliance.db.engine.protocols import Readable
from appliance.db.lists import Part, Window
from appliance.db.people import people
from appliance.db.people.people import Person
from appliance.db.wallets import receipts as rows
from appliance.db.wallets.receipts import Receipt
from appliance.domain.errors import NotFound
from appliance.domain.identifiers import PersonId
from appliance.services.operators.authority import NotAllowed
from appliance.services.printing import opens_drawer
from appliance.services.wallets import receipts as service
from appliance.ui.console.printing import print_paper, print_to
from appliance.ui.forms.forms import number_of, read_number
from appliance.ui.forms.listing import Paging, Sort, query
from appliance.ui.frame import language
from appliance.ui.frame.context import CONSOLE, Page, principal
from appliance.ui.frame.language import LANGUAGES, N_, _
from appliance.ui.frame.render import formats_of, render, render_part
from appliance.ui.frame.roles import may
from appliance.ui.wording.card_desk import card_number, receipt_word
from appliance.ui.wording.sessions import method_word

ROWS_AT_ONCE = 50
COLUMNS = {"number": "-number", "amount": "-amount"}
PAPERS = {"80": N_("80 mm"), "58": N_("58 mm"), "a4": N_("A4")}
WHOSE = ("holders", "mine")
"""Whose language a receipt can be in."""
YEAR_S = 365 * 86_400
BACK = ("/bills", "/desk/", "/people/", "/receipts", "/sessions", "/statements", "/till", "/vouchers")
"""Pages that a receipt may lead back to."""


@dataclass(frozen=True, slots=True)
class Line:
    """One receipt in the list."""

    receipt: Receipt
    word: str
    method: str
    person: str
    card: str
    voucher: str
    """The voucher that was sold, or that paid; "" for none."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """Some of them, the newest first."""

    lines: list[Line]
    person: Person | None
    number: str
    sort: Sort
    paging: Paging


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """One receipt, and how it is printed."""

    receipt: Receipt
    paper: str
    papers: list[tuple[str, str, str]]
    """Value, word, address."""
    tongues: list[tuple[str, str, str]]
    tongue: str
    """Whose language it is in, or which."""
    slip: Markup
    """The receipt itself, in its own language."""
    back: str
    print_now: bool
    print_to: str
    """Where the form goes that prints on the printer of receipts; "" where only the browser prints."""
    again: bool
    """Printing it has failed."""


async def show_list(request: web.Request) -> web.Response:
    """`GET /receipts?person=&number=&sort=&after=&before=`."""
    number = request.query.get("number", "").strip().lstrip("#")
    if number:
        found = await request.app[CONSOLE].store.read(rows.find, read_number(number) or 0)
        if found is not None:
            return web.Response(status=303, headers={"Location": f"/receipts/{found.number}"})
    person, sort = read_number(request.query.get("person", "")), Sort.of(request, COLUMNS, "-number")
    part, about = await request.app[CONSOLE].store.read(_read_list, sort.window(request, ROWS_AT_ONCE), person)
    paging = Paging.of(request, part, lambda one: one.number)
    shown = ListPage([line_of(one) for one in part.rows], about, number, sort, paging)
    return render(request, "wallets/receipts.html", shown)


async def show(request: web.Request) -> web.Response:
    """`GET /receipts/{number}?paper=&language=&print=&back=`: paper and whose language are remembered by this browser."""
    receipt = await _need(request)
    paper = paper_of(request)
    holders = holders_language(request, str(receipt.details.get("language", "")))
    tongue = tongue_of(request, holders)
    back = back_of(request)
    path = f"/receipts/{receipt.number}"
    shown = ReceiptPage(
        receipt,
        paper,
        papers_of(request),
        tongues_of(request, holders),
        whose_language(tongue, holders),
        _slip(request, receipt, tongue, paper),
        back,
        request.query.get("print") == "1",
        print_to(request, path, language=tongue, back=back),
        request.query.get("again") == "1",
    )
    return remember_language(request, remember_paper(request, render(request, "wallets/receipt.html", shown), paper))


async def print_one(request: web.Request) -> web.Response:
    """`POST /receipts/{number}/print?language=&back=`: on the printer of receipts."""
    receipt = await _need(request)
    tongue = tongue_of(request, holders_language(request, str(receipt.details.get("language", ""))))
    what = _("Receipt {number}, {amount}").format(
        number=receipt.number, amount=formats_of(request).money(receipt.amount_minor)
    )
    drawer = opens_drawer(receipt, principal(request).actor, request.app[CONSOLE].clock())
    slip = _slip(request, receipt, tongue, paper_of(request))
    return await print_paper(request, slip, what, f"/receipts/{receipt.number}", back=back_of(request), drawer=drawer)


async def _need(request: web.Request) -> Receipt:
    """The receipt that is asked for, if whoever asks may see it."""
    receipt = await request.app[CONSOLE].store.read(service.need, number_of(request, "number"))
    if receipt.actor != principal(request).actor and not may(principal(request).role, "GET", "/receipts"):
        raise NotAllowed(N_("This is somebody else's receipt."), N_("Cashiers see all of them."))
    return receipt


def back_of(request: web.Request) -> str:
    """The page that a paper leads back to; "" for none."""
    back = request.query.get("back", "")
    return back if back.startswith(BACK) else ""


def paper_of(request: web.Request) -> str:
    """What is printed on: as the address says, else as this browser did last."""
    wished = request.query.get("paper", request.cookies.get(_cookie(request), ""))
    return wished if wished in PAPERS else "80"


def papers_of(request: web.Request) -> list[tuple[str, str, str]]:
    """What there is to print on: value, word, address."""
    return [(value, _(word), query(request, paper=value, print="")) for value, word in PAPERS.items()]


def remember_paper(request: web.Request, response: web.Response, paper: str) -> web.Response:
    """From now on this browser prints on it, if that was asked for."""
    if request.query.get("paper") == paper:
        _remember(request, response, "paper", paper)
    return response


def holders_language(request: web.Request, theirs: str) -> str:
    """The language of a holder; "" is the site's."""
    return next(one for one in (theirs, request.app[CONSOLE].site.language, language.DEFAULT) if one in LANGUAGES)


def tongue_of(request: web.Request, holders: str) -> str:
    """In which language a paper is: as the address says, else as this browser did last, else the holder's."""
    whose = request.query.get("language", request.cookies.get(_cookie(request, "receipt-language"), ""))
    return {"mine": language.spoken(), "holders": holders}.get(whose, whose if whose in LANGUAGES else holders)


def whose_language(tongue: str, holders: str) -> str:
    """Which of `tongues_of` it is."""
    return "holders" if tongue == holders else "mine" if tongue == language.spoken() else tongue


def remember_language(request: web.Request, response: web.Response) -> web.Response:
    """From now on this browser prints in it, if that was asked for."""
    whose = request.query.get("language", "")
    if whose in WHOSE:
        _remember(request, response, "receipt-language", whose)
    return response


def tongues_of(request: web.Request, holders: str) -> list[tuple[str, str, str]]:
    """The languages that it can be printed in: the holder's, the reader's, and where these are one, all others by name."""
    mine = language.spoken()
    words = {"holders": _("Holder's: {language}").format(language=LANGUAGES[holders])}
    words |= {"mine": _("Mine: {language}").format(language=LANGUAGES[mine])} if mine != holders else {}
    words |= {code: name for code, name in LANGUAGES.items() if code not in (mine, holders)}
    return [(value, word, query(request, language=value, print="")) for value, word in words.items()]


def _remember(request: web.Request, response: web.Response, name: str, value: str) -> None:
    response.set_cookie(
        _cookie(request, name), value, path="/", max_age=YEAR_S, httponly=True, secure=request.secure, samesite="Strict"
    )


def _slip(request: web.Request, receipt: Receipt, tongue: str, paper: str) -> Markup:
    """What is printed. The page around it speaks with the staff, this with the customer."""
    spoken = language.spoken()
    language.speak(tongue)
    try:
        line = line_of(receipt)
        html = render_part(
            request.app[CONSOLE], None, "wallets/_slip.html", line=line, paper=paper, tongue=tongue,
            topup_minor=receipt.amount_minor - receipt.deposit_minor,
        )  # fmt: skip
    finally:
        language.speak(spoken)
    return Markup(html)  # noqa: S704  # a template of ours, where all values are escaped


def line_of(receipt: Receipt) -> Line:
    number, voucher = receipt.details.get("card"), receipt.details.get("voucher")
    return Line(
        receipt,
        receipt_word(receipt.kind),
        method_word(receipt.method),
        str(receipt.details.get("person", "")),
        card_number(number) if isinstance(number, int) else "",
        _("Voucher {number}").format(number=voucher) if voucher else "",
    )


def _read_list(db: Readable, window: Window, person: int | None) -> tuple[Part[Receipt], Person | None]:
    about = people.find(db, PersonId(person)) if person is not None else None
    if person is not None and about is None:
        raise NotFound(N_("There is no such person."))
    number = about.id if about is not None else None
    return rows.part(db, window, person=number), about


def _cookie(request: web.Request, name: str = "paper") -> str:
    return f"__Host-{name}" if request.secure else name


PAGE = Page(
    routes=[
        web.get("/receipts", show_list),
        web.get("/receipts/{number}", show),
        web.post("/receipts/{number}/print", print_one),
    ]
)
