"""Set-up, log-in, log-out, and what a log-in is worth."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.db import operators as rows
from appliance.db import tariffs
from appliance.db.engine.store import nothing
from appliance.db.people import groups
from appliance.domain.by import By
from appliance.domain.errors import Invalid
from appliance.domain.roles import Role
from appliance.services.operators import log_ins, operators, passwords, set_up
from appliance.services.operators import tokens as token_units
from appliance.services.operators.failed_log_ins import PROBLEM_FROM, ROWS_MAX, FailedLogIns
from appliance.ui.frame.auth import (
    DELAY_S_MAX,
    FORGOTTEN_AFTER_MS,
    GUARD,
    GUESSES_FREE,
    HASHING,
    HASHING_WAITING_MAX,
    Guard,
    Lane,
    TooSoon,
)
from tests.ui.console_fixture import PASSWORD, ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
MANY = 2 * HASHING_WAITING_MAX


async def log_in(client: TestClient[Any, Any], login: str, password: str = PASSWORD) -> int:
    """The status of the answer: 303 when it worked."""
    answer = await client.post(
        "/login", data={"login": login, "password": password}, headers=OURS, allow_redirects=False
    )
    return answer.status


async def burst(client: TestClient[Any, Any], path: str, forms: list[dict[str, str]]) -> Counter[int]:
    """All of them at once, and how often each status came back."""

    async def one(form: dict[str, str]) -> int:
        async with client.post(path, data=form, headers=OURS, allow_redirects=False) as answer:
            return answer.status

    return Counter(await asyncio.gather(*map(one, forms)))


async def test_a_new_site_leads_everybody_to_the_set_up(bare: ConsoleFixture) -> None:
    answer = await bare.anybody().get("/")

    assert answer.status == 200
    assert answer.url.path == "/setup"


async def test_whoever_sets_up_is_logged_in_and_the_site_can_charge(bare: ConsoleFixture) -> None:
    code = await bare.store.write(set_up.setup_code, bare.now_ms)
    assert code is not None
    form = {"code": code, "name": "Rahima Khatun", "login": "rahima", "password": PASSWORD, "language": "bn"}
    prices = {"energy_minor_per_kwh": "১৮.৫০", "tax_percent": "5"}
    client = bare.anybody()

    wrong = await client.post("/setup", data=form | prices | {"energy_minor_per_kwh": "dear"}, headers=OURS)
    assert wrong.status == 422
    assert 'value="rahima"' in await wrong.text()
    assert not await bare.store.read(rows.exists)

    answer = await client.post("/setup", data=form | prices, headers=OURS, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/stations/new")
    assert (await client.get("/stations/new")).url.path == "/stations/new"
    tariff = await bare.store.read(tariffs.default)
    assert tariff is not None
    assert (tariff.energy_milli_per_kwh, tariff.tax_basis_points) == (1_850_000, 500)
    assert [(one.name, one.policy) for one in await bare.store.read(groups.all_by_name)] == [("গ্রাহক", "prepaid")]


async def test_a_price_can_wait(bare: ConsoleFixture) -> None:
    code = await bare.store.write(set_up.setup_code, bare.now_ms)
    form = {"code": code or "", "name": "Rahima Khatun", "login": "rahima", "password": PASSWORD}

    answer = await bare.anybody().post("/setup", data=form, headers=OURS, allow_redirects=False)

    assert answer.status == 303
    assert await bare.store.read(tariffs.default) is None
    assert await bare.store.read(groups.all_by_name) == []


async def test_the_code_makes_the_first_owner_once(bare: ConsoleFixture) -> None:
    code = await bare.store.write(set_up.setup_code, bare.now_ms)
    assert code is not None
    form = {"code": code.lower(), "name": "Rahima Khatun", "login": "Rahima", "password": PASSWORD, "language": "bn"}
    client = bare.anybody()

    first = await client.post("/setup", data=form, headers=OURS, allow_redirects=False)
    again = await client.post("/setup", data=form | {"login": "other"}, headers=OURS, allow_redirects=False)

    assert first.status == 303
    assert again.status == 409
    assert await log_in(client, "rahima") == 303
    assert [(one.login, one.role, one.language) for one in await bare.store.read(rows.every)] == [
        ("rahima", "owner", "bn")
    ]


async def test_a_site_that_is_set_up_hashes_for_nobody_who_sets_it_up_again(served: ConsoleFixture) -> None:
    """More at once than the pool takes: whoever reached it would be asked to come back."""
    await served.operator(Role.OWNER, "rahima")
    form = {"code": "ABCD-EFGH-JKLM", "name": "Mallory", "login": "mallory", "password": PASSWORD}

    assert await burst(served.anybody(), "/setup", [form] * MANY) == Counter({409: MANY})


async def test_who_has_no_set_up_code_makes_nobody_hash_and_soon_waits(bare: ConsoleFixture) -> None:
    await bare.store.write(set_up.setup_code, bare.now_ms)
    forms = [
        {"code": f"ABCD-EFGH-JK{n:02}", "name": "Mallory", "login": "mallory", "password": PASSWORD}
        for n in range(MANY)
    ]

    assert await burst(bare.anybody(), "/setup", forms) == Counter({422: GUESSES_FREE, 429: MANY - GUESSES_FREE})


async def test_a_field_that_cannot_be_used_is_found_before_anything_is_hashed(served: ConsoleFixture) -> None:
    await served.operator(Role.CASHIER, "nasrin")
    client = await served.logged_in(Role.OWNER)
    forms = [
        {"login": "Nasrin", "name": "Nasrin Akter", "role": "cashier", "password": PASSWORD},
        {"login": "karim", "name": "", "role": "cashier", "password": PASSWORD},
        {"login": "karim", "name": "Karim", "role": "king", "password": PASSWORD},
        {"login": "", "name": "Karim", "role": "cashier", "password": PASSWORD},
    ]

    assert await burst(client, "/operators", forms * (MANY // 4)) == Counter({422: MANY})


async def test_of_many_passwords_at_once_only_the_free_guesses_are_compared(served: ConsoleFixture) -> None:
    await served.operator(Role.CASHIER, "nasrin")
    forms = [{"login": "nasrin", "password": f"wrong password {n}"} for n in range(MANY - 1)]
    forms.append({"login": "nasrin", "password": PASSWORD})

    assert await burst(served.anybody(), "/login", forms) == Counter({401: GUESSES_FREE, 429: MANY - GUESSES_FREE})
    served.now_ms += DELAY_S_MAX * 1000
    assert await log_in(served.anybody(), "nasrin") == 303


async def test_of_many_guesses_at_ones_own_password_only_the_free_ones_are_compared(served: ConsoleFixture) -> None:
    """Whoever finds a browser logged in tries the old password there."""
    client = await served.logged_in(Role.CASHIER)
    forms = [{"current": f"wrong password {n}", "password": "seven green umbrellas"} for n in range(MANY)]

    found = await burst(client, "/account/password", forms)

    assert found == Counter({422: GUESSES_FREE, 429: MANY - GUESSES_FREE})


async def test_a_wrong_or_old_code_makes_nobody(bare: ConsoleFixture) -> None:
    code = await bare.store.write(set_up.setup_code, bare.now_ms)
    form = {"name": "Rahima", "login": "rahima", "password": PASSWORD}
    client = bare.anybody()

    wrong = await client.post("/setup", data=form | {"code": "ABCD-EFGH-JKLM"}, headers=OURS)
    bare.now_ms += set_up.SETUP_CODE_VALID_MS + 1
    late = await client.post("/setup", data=form | {"code": code}, headers=OURS)

    assert (wrong.status, late.status) == (422, 422)
    assert 'id="code-wrong"' in await late.text()
    assert await bare.store.read(rows.every) == []


async def test_a_form_comes_back_filled_with_the_error_beside_the_field_and_without_the_password(
    bare: ConsoleFixture,
) -> None:
    form = {"code": "X", "name": "Rahima Khatun", "login": "rahima", "password": "short"}

    page = await (await bare.anybody().post("/setup", data=form, headers=OURS)).text()

    assert 'value="Rahima Khatun"' in page
    assert 'id="password-wrong"' in page
    assert "short" not in page.replace("too short", "").replace("Short and easy", "")


async def test_name_and_password_open_the_board(served: ConsoleFixture) -> None:
    await served.operator(Role.CASHIER, "nasrin")
    client = served.anybody()

    assert (await client.get("/", allow_redirects=False)).headers["Location"] == "/login"
    assert await log_in(client, " Nasrin ") == 303
    assert (await client.get("/", allow_redirects=False)).status == 200


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites_and_the_token_is_not_stored(
    served: ConsoleFixture,
) -> None:
    await served.operator(Role.CASHIER, "nasrin")
    client = served.anybody()
    answer = await client.post(
        "/login", data={"login": "nasrin", "password": PASSWORD}, headers=OURS, allow_redirects=False
    )

    cookie = answer.headers["Set-Cookie"]
    token = answer.cookies["sid"].value
    stored = await served.store.read(lambda db: db.execute("SELECT token_hash FROM operator_session").fetchone()[0])

    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert len(token) >= 43
    assert stored == token_units.hash_token(token)


async def test_each_log_in_has_a_token_of_its_own(served: ConsoleFixture) -> None:
    await served.operator(Role.CASHIER, "nasrin")
    client = served.anybody()
    tokens = set()
    for _ in range(2):
        answer = await client.post(
            "/login", data={"login": "nasrin", "password": PASSWORD}, headers=OURS, allow_redirects=False
        )
        tokens.add(answer.cookies["sid"].value)
        client.session.cookie_jar.clear()

    assert len(tokens) == 2


@pytest.mark.parametrize(("login", "password"), [("nasrin", "not this password"), ("nobody", PASSWORD)])
async def test_wrong_name_and_wrong_password_are_answered_alike(
    served: ConsoleFixture, login: str, password: str
) -> None:
    await served.operator(Role.CASHIER, "nasrin")
    answer = await served.anybody().post("/login", data={"login": login, "password": password}, headers=OURS)

    assert answer.status == 401
    assert "Log-in name and password do not belong together." in await answer.text()


async def test_a_disabled_operator_is_out_at_once(served: ConsoleFixture) -> None:
    await served.operator(Role.OWNER, "other")
    client = await served.logged_in(Role.CASHIER)
    number = next(one.id for one in await served.store.read(rows.every) if one.role == "cashier")
    assert (await client.get("/", allow_redirects=False)).status == 200

    await served.store.write(operators.disable, number, by=By("operator:1", served.now_ms))

    assert (await client.get("/", allow_redirects=False)).status == 303


async def test_log_out_ends_the_log_in_for_the_token_too(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    token = next(cookie.value for cookie in client.session.cookie_jar if cookie.key == "sid")

    await client.post("/logout", headers=OURS)
    client.session.cookie_jar.update_cookies({"sid": token}, served.server.make_url("/"))

    assert (await client.get("/", allow_redirects=False)).status == 303


async def test_a_log_in_ends_after_half_an_hour_without_use(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    served.now_ms += 1_800_001

    assert (await client.get("/", allow_redirects=False)).status == 303


async def test_a_log_in_in_use_ends_after_twelve_hours_all_the_same(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    statuses = []
    for _ in range(26):
        served.now_ms += 28 * 60 * 1000
        statuses.append((await client.get("/account", allow_redirects=False)).status)
        await served.store.write(lambda _db: None)  # What was noted of this use is on disk now.

    assert statuses[:25] == [200] * 25
    assert statuses[25] == 303


async def test_own_log_ins_are_listed_and_ended_from_elsewhere(served: ConsoleFixture) -> None:
    await served.operator(Role.CASHIER, "nasrin")
    phone, desk = served.anybody(), served.anybody()
    await log_in(phone, "nasrin")
    await log_in(desk, "nasrin")
    page = await (await desk.get("/account")).text()
    number = page.split("/account/log-ins/")[1].split("/")[0]

    answer = await desk.post(f"/account/log-ins/{number}/end", headers=OURS, allow_redirects=False)

    assert answer.status == 303
    assert (await phone.get("/", allow_redirects=False)).status == 303
    assert (await desk.get("/", allow_redirects=False)).status == 200


async def test_somebody_elses_log_in_cannot_be_ended(served: ConsoleFixture) -> None:
    cashier, guard = await served.logged_in(Role.CASHIER), await served.logged_in(Role.GUARD)

    answer = await guard.post("/account/log-ins/1/end", headers=OURS)

    assert answer.status == 404
    assert (await cashier.get("/", allow_redirects=False)).status == 200


async def test_a_new_password_needs_the_old_one_and_ends_the_other_log_ins(served: ConsoleFixture) -> None:
    await served.operator(Role.CASHIER, "nasrin")
    phone, desk = served.anybody(), served.anybody()
    await log_in(phone, "nasrin")
    await log_in(desk, "nasrin")
    fresh = "seven green umbrellas"

    wrong = await desk.post("/account/password", data={"current": "x", "password": fresh}, headers=OURS)
    right = await desk.post(
        "/account/password", data={"current": PASSWORD, "password": fresh}, headers=OURS, allow_redirects=False
    )

    assert (wrong.status, right.status) == (422, 303)
    assert (await desk.get("/", allow_redirects=False)).status == 200
    assert (await phone.get("/", allow_redirects=False)).status == 303
    assert await log_in(phone, "nasrin", fresh) == 303


async def test_after_log_in_one_goes_on_inside_the_console_only(served: ConsoleFixture) -> None:
    await served.operator(Role.CASHIER, "nasrin")
    targets = {}
    for wanted in ("/people?q=a", "https://evil.example/", "//evil.example/", "/\\evil.example"):
        client = served.anybody()
        form = {"login": "nasrin", "password": PASSWORD, "next": wanted}
        answer = await client.post("/login", data=form, headers=OURS, allow_redirects=False)
        targets[wanted] = answer.headers["Location"]

    assert targets.pop("/people?q=a") == "/people?q=a"
    assert set(targets.values()) == {"/"}


async def test_a_bearer_token_opens_the_api_and_no_page(served: ConsoleFixture) -> None:
    token = await served.store.write(token_units.create_token, "meter", "owner", by=served.by)
    headers = {"Authorization": f"Bearer {token}"}

    assert (await served.anybody().get("/", headers=headers, allow_redirects=False)).status == 303


async def test_more_log_ins_than_the_pool_takes_are_asked_to_come_back_and_are_no_guesses(
    served: ConsoleFixture,
) -> None:
    await served.operator(Role.CASHIER, "nasrin")
    client, hashing = served.anybody(), served.server.app[HASHING]
    full = [asyncio.create_task(hashing.hash("x" * 20)) for _ in range(HASHING_WAITING_MAX)]
    await asyncio.sleep(0)

    assert [await log_in(client, "nasrin", "x" * 20) for _ in range(GUESSES_FREE)] == [503] * GUESSES_FREE
    await asyncio.gather(*full)
    assert await log_in(client, "nasrin") == 303


async def test_strangers_from_everywhere_hold_up_no_browser_that_logged_in_before(served: ConsoleFixture) -> None:
    await served.operator(Role.CASHIER, "nasrin")
    staff, hashing = served.anybody(), served.server.app[HASHING]
    assert await log_in(staff, "nasrin") == 303
    await staff.post("/logout", headers=OURS)
    for lane in (Lane.STRANGER, Lane.ADDRESS):
        for _ in range(HASHING_WAITING_MAX):
            hashing._waiting[lane] += 1
    assert await log_in(served.anybody(), "nasrin") == 503
    assert await log_in(staff, "nasrin") == 303


async def test_strangers_from_everywhere_hold_up_no_address_that_logged_in_before(served: ConsoleFixture) -> None:
    operator = await served.operator(Role.CASHIER, "nasrin")
    hashing = served.server.app[HASHING]
    hashing._waiting[Lane.STRANGER] = HASHING_WAITING_MAX
    assert await log_in(served.anybody(), "nasrin") == 503
    await served.store.write(log_ins.log_in, operator, "t", address="127.0.0.1", browser="", now_ms=served.now_ms)
    assert await log_in(served.anybody(), "nasrin") == 303


async def test_where_all_have_one_address_a_browser_waits_for_nobodys_guesses_but_its_own(
    served: ConsoleFixture,
) -> None:
    await served.operator(Role.CASHIER, "nasrin")
    staff = served.anybody()
    assert await log_in(staff, "nasrin") == 303
    await staff.post("/logout", headers=OURS)
    strangers = [{"login": "nasrin", "password": f"wrong password {n}"} for n in range(8)]
    await burst(served.anybody(), "/login", strangers)

    assert await log_in(served.anybody(), "nasrin") == 429
    assert await log_in(staff, "nasrin") == 303
    await burst(staff, "/login", strangers)
    assert await log_in(staff, "nasrin") == 429


@pytest.mark.parametrize("cookie", ["", "1", "1.abc", "1.abc.", "1.abc." + "0" * 64, ".abc.x", "९.abc.x", "1.\udcff.x"])
async def test_a_mark_that_is_not_ours_marks_nothing(served: ConsoleFixture, cookie: str) -> None:
    await served.operator(Role.CASHIER, "nasrin")
    served.server.app[HASHING]._waiting[Lane.STRANGER] = HASHING_WAITING_MAX
    answer = await served.anybody().post(
        "/login",
        data={"login": "nasrin", "password": PASSWORD},
        headers=OURS | {"Cookie": f"known={cookie.encode(errors='surrogateescape').decode('latin-1')}"},
        allow_redirects=False,
    )
    assert answer.status == 503


async def test_a_mark_opens_nothing(served: ConsoleFixture) -> None:
    await served.operator(Role.OWNER, "nasrin")
    client = served.anybody()
    await log_in(client, "nasrin")
    client.session.cookie_jar.clear(lambda cookie: cookie.key == "sid")

    assert [cookie.key for cookie in client.session.cookie_jar] == ["known"]
    assert (await client.get("/", allow_redirects=False)).headers["Location"] == "/login"


async def test_who_is_marked_by_another_log_in_waits_with_all_others_for_this_name(served: ConsoleFixture) -> None:
    await served.operator(Role.VIEWER, "mallory")
    await served.operator(Role.OWNER, "rahima")
    for _turn in range(2):
        client = served.anybody()
        assert await log_in(client, "mallory") == 303
        await burst(client, "/login", [{"login": "rahima", "password": f"guess {n} of many"} for n in range(5)])
    client = served.anybody()
    served.server.app[GUARD].guesses.pop("address 127.0.0.1", None)
    assert await log_in(client, "mallory") == 303
    assert await log_in(client, "rahima", "another guess of it") == 429


async def test_log_ins_that_fail_leave_a_trace_and_twenty_are_a_problem(served: ConsoleFixture) -> None:
    operator = await served.operator(Role.CASHIER, "nasrin")
    client = served.anybody()
    await log_in(client, "nasrin", "wrong password")
    await log_in(client, "my password by mistake", "nasrin")
    for _turn in range(PROBLEM_FROM):
        served.now_ms += DELAY_S_MAX * 1000
        await log_in(client, "nobody at all", "wrong password")
    await served.store.write(nothing)
    rows_ = await served.store.read(
        lambda db: db.execute(
            "SELECT action, subject, details FROM audit WHERE action LIKE 'operator.log_in%' ORDER BY seq"
        ).fetchall()
    )
    (problem,) = await served.store.read(
        lambda db: db.execute("SELECT details FROM problem WHERE kind = 'log_ins_failed'").fetchall()
    )

    assert rows_[0][:2] == ("operator.log_in_failed", f"operator:{operator}")
    assert {row[:2] for row in rows_[1:]} == {("operator.log_in_unknown", "site")}
    assert "password" not in "".join(row[2] for row in rows_)
    assert len(rows_) <= ROWS_MAX
    assert '"times":20' in problem[0]
    page = await (await (await served.logged_in()).get("/audit")).text()
    assert "a stranger" in page


def test_however_many_fail_there_are_few_rows() -> None:
    failed = FailedLogIns()
    traces = [failed.note(f"10.0.{number % 7}.{number % 250}", number * 10) for number in range(50_000)]

    assert sum(trace.row for trace in traces) <= ROWS_MAX
    assert sum(trace.problem > 0 for trace in traces) <= 12
    assert failed.note("10.0.0.1", 10**8).missed == 50_000 - sum(trace.row for trace in traces)


def test_five_guesses_are_free_then_the_delay_grows_to_a_minute() -> None:
    guard, now_ms, delays = Guard(), 1_000_000, []
    for _ in range(14):
        guard.failed("nasrin", "10.0.0.9", now_ms)
        with_delay = 0
        while True:
            try:
                guard.check("nasrin", "10.0.0.9", now_ms + with_delay * 1000)
            except TooSoon:
                with_delay += 1
            else:
                break
        delays.append(with_delay)
        now_ms += with_delay * 1000

    assert delays == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_the_delay_runs_from_the_answer_for_to_compare_takes_a_while_too() -> None:
    guard, asked_ms, answered_ms = Guard(), 1_000_000, 1_009_000
    for _ in range(5):
        guard.attempt("boss", "10.0.0.2", asked_ms)
    guard.wait("boss", "10.0.0.2", answered_ms)
    with pytest.raises(TooSoon):
        guard.check("boss", "10.0.0.2", answered_ms + 999)
    guard.check("boss", "10.0.0.2", answered_ms + 1000)


async def test_who_is_told_to_wait_does_not_wait_longer_for_having_asked(served: ConsoleFixture) -> None:
    await served.operator(Role.CASHIER, "nasrin")
    wrong = [{"login": "nasrin", "password": "wrong password"}]
    for _ in range(GUESSES_FREE):
        await burst(served.anybody(), "/login", wrong)
    served.now_ms += 900
    assert await burst(served.anybody(), "/login", wrong) == Counter({429: 1})
    served.now_ms += 100
    assert await log_in(served.anybody(), "nasrin") == 303


def test_somebody_elses_guesses_do_not_delay_a_known_place() -> None:
    guard = Guard()
    guard.succeeded("nasrin", "10.0.0.2")
    for _ in range(9):
        guard.failed("nasrin", "10.6.6.6", 0)

    guard.check("nasrin", "10.0.0.2", 1)
    with pytest.raises(TooSoon):
        guard.check("nasrin", "10.0.0.3", 1)


def test_a_success_forgets_the_failures() -> None:
    guard = Guard()
    for _ in range(9):
        guard.failed("nasrin", "10.0.0.2", 0)
    guard.succeeded("nasrin", "10.0.0.2")

    guard.check("nasrin", "10.0.0.2", 1)


def test_a_success_of_ones_own_forgets_no_guess_at_another_name() -> None:
    guard, now_ms, heard = Guard(), 1_000_000, 0
    guard.succeeded("boss", "10.0.0.2")  # From there the owner has logged in before.
    for _round in range(20):
        for _guess in range(GUESSES_FREE - 1):
            with suppress(TooSoon):
                guard.attempt("boss", "10.0.0.2", now_ms)
                heard += 1
        with suppress(TooSoon):
            guard.attempt("mallory", "10.0.0.2", now_ms)
            guard.succeeded("mallory", "10.0.0.2")

    assert heard == GUESSES_FREE
    guard.succeeded("boss", "10.0.0.2")
    guard.check("boss", "10.0.0.2", now_ms)


def test_a_success_leaves_what_others_have_guessed_at_from_the_same_address() -> None:
    guard = Guard()
    for number in range(3 * GUESSES_FREE):
        guard.failed(f"name{number}", "10.0.0.2", 0)
    guard.succeeded("mallory", "10.0.0.2")

    with pytest.raises(TooSoon):
        guard.check("name99", "10.0.0.2", 1)


def test_wrong_guesses_fade_so_that_a_colleagues_slip_delays_nobody_for_ever() -> None:
    guard = Guard()
    for _ in range(GUESSES_FREE - 1):
        guard.failed("karim", "10.0.0.2", 0)
    guard.failed("nasrin", "10.0.0.2", FORGOTTEN_AFTER_MS + 1)

    guard.check("nasrin", "10.0.0.2", FORGOTTEN_AFTER_MS + 2)


@pytest.mark.parametrize(
    "password",
    [
        "password", "short words", "passwordpassword", "123456789012", "qwertyqwerty12", "dhanmondiyard", "aaaaaaaaaaaaaa",
        "Nasrin2026!!", "abcdefghijklmnop", "Dhanmondi-Yard-1", "nasrinakter123",
    ],
)  # fmt: skip
def test_what_is_guessed_first_is_no_password(password: str) -> None:
    with pytest.raises(Invalid):
        passwords.check_password(password, login="nasrin", name="Nasrin Akter", site_name="Dhanmondi yard")


@pytest.mark.parametrize("password", [PASSWORD, "correct horse battery staple", "ধানমন্ডি লেকের নীল নৌকা", "xK9#mQ2$vL7!"])
def test_a_good_password_is_taken(password: str) -> None:
    passwords.check_password(password, login="nasrin", name="Nasrin Akter", site_name="Dhanmondi yard")


@pytest.mark.parametrize(
    "password",
    [
        "P@ssw0rd2026!!",
        "1qaz2wsx3edc",
        "qwertyuiop[]",
        "abcxyzabcxyz",
        "GateNorth2026!",
        "dhaka-gate-12345",
        "Summer2026!!!",
    ],
)
def test_a_password_of_common_words_or_of_the_sites_own_is_refused(password: str) -> None:
    with pytest.raises(Invalid):
        passwords.check_password(
            password, login="nasrin", name="Nasrin Akter", site_name="Yard", site_words=["Gate North", "Asia/Dhaka"]
        )


def test_a_long_password_is_compared_as_a_whole() -> None:
    long = "four words and then some more " * 5
    kept = passwords.hash_password(long + "a")

    assert passwords.password_matches(long + "a", kept)
    assert not passwords.password_matches(long + "b", kept)


async def test_only_a_form_can_come_too_late(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    client.session.cookie_jar.clear()

    for path in ("/", "/people/1?from=board"):
        asked = await client.head(path, allow_redirects=False)
        answered = await client.get(path, allow_redirects=False)
        assert (asked.status, asked.headers["Location"]) == (303, answered.headers["Location"])


async def test_a_form_that_comes_after_its_log_in_has_ended_is_told_and_led_back_to(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    client.session.cookie_jar.clear()
    page = str(client.make_url("/people/1?from=board"))

    answer = await client.post(
        "/people/1/topup", data={"amount": "123.45"}, headers=OURS | {"Referer": page}, allow_redirects=False
    )
    assert answer.headers["Location"] == "/login?next=%2Fpeople%2F1%3Ffrom%3Dboard&too_late=1"
    html = await (await client.get(answer.headers["Location"], headers={"Accept-Language": "en"})).text()
    assert "What you have just sent was not done" in html
    assert 'name="next" value="/people/1?from=board"' in html


@pytest.mark.parametrize("referer", ["", "https://[", "https://elsewhere.example//evil.example/", "/login"])
async def test_whatever_a_browser_says_it_came_from_the_way_back_is_ours(served: ConsoleFixture, referer: str) -> None:
    await served.operator(Role.CASHIER, "karim")
    client = served.anybody()
    answer = await client.post("/people/1/topup", headers=OURS | {"Referer": referer}, allow_redirects=False)

    html = await (await client.get(answer.headers["Location"])).text()
    assert 'name="next" value="/"' in html
