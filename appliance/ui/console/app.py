"""The console: its layers, its pages and how they come together.

To add a page:

1. a module in `console/` with the page's context as a frozen dataclass, `async def show(request)`, and
   `PAGE = Page(routes=[web.get("/things", show), …])`; add the module to `PAGES` below;
2. each of its routes with the roles that may use it to the table in `ui/frame/roles.py` (what is not there answers 403);
3. `templates/things/list.html`, which extends `base.html`; partials begin with `_` and serve the page and its live view;
4. queries in `appliance/db/things.py`, run by `await console.store.read(query, …)`: one snapshot for one page;
   changes by `await console.store.write(unit, …)` with units of `appliance/services`;
5. what is a place of its own: a line in `SECTIONS` in `ui/frame/render.py`. Its path has one segment, for by the first one the
   navigation knows where the reader is; its icon is one of Lucide's; `ON_THE_PHONE` says what stands at the bottom of a phone.
   Any other page is linked from one (`tests/ui/frame/test_roles.py` walks the links).

A view ends with `render(request, "things/list.html", Context(…))`, and after a form with `done(request, "/things", _("…"))`.
Refusals (domain/errors.py) need not be caught: `ui/frame/errors.py` shows them. A view that wants its form back filled catches
`Refusal` and shows the page with `form.refused(error)`. Every sentence goes through `_` (`N_` where it stands in a table).
"""

from __future__ import annotations

from aiohttp import web

from appliance.services.operators.failed_log_ins import FailedLogIns
from appliance.ui.console import (
    approvals,
    audit,
    certificates,
    demo,
    holidays,
    month_end,
    printing,
    problems,
    reconciling,
    report_lines,
    reports,
    search,
    settings,
)
from appliance.ui.console.board import board
from appliance.ui.console.card_desk import batch, card_actions, charger_taps, desk, jobs
from appliance.ui.console.cards import cards, limits, old_cards, pin, unknown
from appliance.ui.console.operators import account, login, operators, setup
from appliance.ui.console.people import debts, groups, importing, merge, people, pools
from appliance.ui.console.people import limits as person_limits
from appliance.ui.console.sessions import sessions
from appliance.ui.console.statements import overview as statement_overview
from appliance.ui.console.statements import person as person_statements
from appliance.ui.console.stations import commands, messages, meter_keys, place_tariff, stations, stickers, variables
from appliance.ui.console.stations import security as station_security
from appliance.ui.console.tariffs import editor as tariff_editor
from appliance.ui.console.tariffs import ocpi as tariff_files
from appliance.ui.console.tariffs import tariffs
from appliance.ui.console.till import report, shifts, till
from appliance.ui.console.vouchers import batches as voucher_batches
from appliance.ui.console.vouchers import till as voucher_till
from appliance.ui.console.vouchers import vouchers
from appliance.ui.console.wallets import bills, buyer, receipts
from appliance.ui.forms.bodies import BODY_BYTES_MAX
from appliance.ui.frame import auth, errors, files, kept, live, security
from appliance.ui.frame.context import CONSOLE, Console, Page
from appliance.ui.frame.csrf import refuse_foreign
from appliance.ui.frame.live import LIVE
from appliance.ui.frame.render import environment

PAGES: tuple[Page, ...] = (
    setup.PAGE,
    login.PAGE,
    certificates.PAGE,
    board.PAGE,
    desk.PAGE,
    jobs.PAGE,
    card_actions.PAGE,
    batch.PAGE,
    receipts.PAGE,
    printing.PAGE,
    bills.PAGE,
    person_statements.PAGE,
    statement_overview.PAGE,
    buyer.PAGE,
    till.PAGE,
    shifts.PAGE,
    report.PAGE,
    voucher_till.PAGE,
    voucher_batches.PAGE,
    vouchers.PAGE,
    demo.PAGE,
    commands.PAGE,
    stations.PAGE,
    stickers.PAGE,
    variables.PAGE,
    station_security.PAGE,
    meter_keys.PAGE,
    place_tariff.PAGE,
    messages.PAGE,
    reconciling.PAGE,
    problems.PAGE,
    people.PAGE,
    merge.PAGE,
    pools.PAGE,
    person_limits.PAGE,
    debts.PAGE,
    importing.PAGE,
    unknown.PAGE,
    charger_taps.PAGE,
    old_cards.PAGE,
    limits.PAGE,
    pin.PAGE,
    cards.PAGE,
    groups.PAGE,
    tariffs.PAGE,
    tariff_files.PAGE,
    tariff_editor.PAGE,
    sessions.PAGE,
    reports.PAGE,
    month_end.PAGE,
    report_lines.PAGE,
    search.PAGE,
    settings.PAGE,
    holidays.PAGE,
    operators.PAGE,
    audit.PAGE,
    approvals.PAGE,
    account.PAGE,
)


def create_console(console: Console, *, more: tuple[Page, ...] = ()) -> web.Application:
    """The application that the console's listener serves. `more` are pages of the API, which speak no HTML."""
    # From the outside in: the name we were called by, what errors look like, who asks and may they, who sent them, what they had typed.
    layers = [security.check_host, errors.answer_errors, auth.identify, refuse_foreign, kept.give_back]
    app = web.Application(middlewares=layers, client_max_size=BODY_BYTES_MAX)
    pages = (*PAGES, *more)
    app[CONSOLE] = console
    app[auth.HASHING] = auth.Hashing()
    app[auth.FAILED] = FailedLogIns()
    app[auth.FAILED_TOKENS] = FailedLogIns()
    app[kept.KEPT] = kept.Kept()
    app[auth.GUARD] = auth.Guard()
    app[LIVE] = live.Live(console, pages)
    environment()
    for page in pages:
        app.add_routes(page.routes)
        if page.install is not None:
            page.install(app)
    app.router.add_get("/live", live.watch)
    files.add_files(app)
    app.on_response_prepare.append(security.add_headers)
    app.on_shutdown.append(lambda app: app[LIVE].close())
    app.on_cleanup.append(auth.close_hashing)
    return app
