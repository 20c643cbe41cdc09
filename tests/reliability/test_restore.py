"""A restore that does not succeed changes nothing, wherever it ends; one that does leaves no number and no row of before."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.db import operators as operators_rows
from appliance.db import restoring
from appliance.db.cards import cards as cards_rows
from appliance.db.cards import secure_tap
from appliance.db.engine import backup
from appliance.db.engine.migrate import migrations
from appliance.db.engine.protocols import Readable
from appliance.db.integrity import figures
from appliance.db.sessions.sessions import NUMBERS_SKIPPED
from appliance.domain.approval import ApprovalKind
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.cards.content import ContentState
from appliance.domain.cards.limits import Limits
from appliance.domain.errors import Conflict
from appliance.domain.identifiers import GroupId, PersonId
from appliance.domain.peer import Peer
from appliance.services.approvals import approvals
from appliance.services.cards import cards as card_units
from appliance.services.cards import limits
from appliance.services.operators import log_ins, operators
from appliance.services.operators import tokens as tokens_units
from appliance.services.people import groups, people, pools
from appliance.services.people import limits as person_limits
from appliance.services.people.pools import About, Own
from appliance.services.stations import admission, credentials
from appliance.services.vouchers import vouchers
from appliance.services.vouchers.codes import Asked
from appliance.services.wallets import wallets
from tests.support.books import ACTOR, NOON_MS, Books
from tests.support.process import START_S, environment, look_into, make_site, run
from tests.support.small_disk import FULL_BYTES, small_disk
from tests.support.vouchers import printed

CARD = "04A1B2C3"


def fill(books: Books) -> None:
    """Three sessions, and one that runs."""
    books.tariff()
    books.card(CARD, books.person(paid_in=50_000))
    station = books.station()
    for number in range(3):
        started = books.start(station, 1, CARD, meter_wh=number * 1_000)
        books.wait(600)
        books.stop(station, started.ref, number * 1_000 + 500)
    books.start(station, 1, CARD, meter_wh=3_000)


def rows(database: Path, sql: str) -> list[Any]:
    db = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def charge(data_dir: Path) -> int:
    """A session that begins and ends; its number, which is the transaction's."""
    db = look_into(data_dir)
    books = Books(db, data_dir / "forecourt.db")
    books.wait(3_600 + books.db.execute("SELECT count(*) FROM session").fetchone()[0])
    station = db.execute("SELECT min(id) FROM station").fetchone()[0]
    db.execute("BEGIN")
    started = books.start(station, 2, CARD, meter_wh=9_000)
    books.stop(station, started.ref, 9_500)
    db.flush()
    db.execute("COMMIT")
    db.close()
    return int(started.ref)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with its backup, `backup.db`, which knows nothing of the token that came later."""
    data_dir = tmp_path / "site"
    make_site(data_dir, fill)
    assert run("backup", data_dir, tmp_path / "backup.db").returncode == 0
    assert run("token", "create", "--data-dir", data_dir, "--role", "viewer", "--name", "later").returncode == 0
    return data_dir


def tokens(database: Path) -> list[Any]:
    """Tells the site from its backup."""
    return rows(database, "SELECT name FROM api_token")


# --- what does not succeed --------------------------------------------------------------------------------------------------


def test_a_restore_onto_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    def fill_more(books: Books) -> None:
        fill(books)
        for number in range(3 * FULL_BYTES // 100_000):
            books.db.execute("INSERT INTO setting VALUES (?, ?)", (f"filling.{number}", "x" * 100_000))

    make_site(tmp_path / "large", fill_more)
    assert run("backup", tmp_path / "large", tmp_path / "large.db").returncode == 0
    with small_disk(tmp_path / "disk") as disk:
        data_dir = disk.folder / "site"
        make_site(data_dir, fill)
        before = (data_dir / "forecourt.db").read_bytes()
        done = run("restore", tmp_path / "large.db", data_dir, prefix=disk.prefix)

        assert done.returncode == 1
        assert done.stderr.startswith(f"Nothing was changed in {data_dir}.\nforecourt: ")
        assert "Traceback" not in done.stderr
        if disk.mounted:
            assert "There is no room left on the disk for" in done.stderr
        assert {path.name for path in data_dir.iterdir()} - {"forecourt.db-wal", "forecourt.db-shm"} == {
            "forecourt.db",
            "lock",
        }
        assert (data_dir / "forecourt.db").read_bytes() == before
        assert backup.problems_of(data_dir / "forecourt.db") == []


@pytest.mark.parametrize(
    "call",
    [
        "fsync,fdatasync",
        "rename,renameat,renameat2,link,linkat",
        pytest.param("unlink,unlinkat", marks=pytest.mark.soak),
    ],
)
def test_a_restore_that_is_killed_leaves_the_old_site_or_the_new_one(site: Path, tmp_path: Path, call: str) -> None:
    """Killed at the first, the second, … of these system calls on the site's files, until one comes through."""
    ends = set()
    for when in range(1, 60):
        data_dir = tmp_path / f"copy-{when}"
        shutil.copytree(site, data_dir)
        killed = run(
            "restore", tmp_path / "backup.db", data_dir,
            prefix=["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                    f"inject={call}:signal=KILL:when={when}"],
        )  # fmt: skip
        assert backup.problems_of(data_dir / "forecourt.db") == []
        ends.add(tuple(tokens(data_dir / "forecourt.db")))
        if killed.returncode == 0:
            break
        again = run("restore", tmp_path / "backup.db", data_dir)
        assert again.returncode == 0
        assert tokens(data_dir / "forecourt.db") == []
        assert not list(data_dir.glob(".forecourt.db.partial*"))
        assert any(tokens(aside) for aside in data_dir.glob("forecourt.db.replaced-*") if aside.name[-1].isdigit())
    else:
        pytest.fail("it never came through")
    assert () in ends


def test_ctrl_c_while_a_backup_is_copied_leaves_nothing_behind(site: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            # Whoever runs the tests in the background has Ctrl-C ignored, and whatever they start ignores it too.
            "env", "--default-signal=INT",
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:signal=INT:when=1",
            sys.executable, "-m", "appliance", "restore", tmp_path / "backup.db", site,
        ],
        env=environment(), capture_output=True, text=True, check=False, timeout=START_S,
    )  # fmt: skip

    assert done.returncode in (130, -signal.SIGINT)
    assert done.stderr == f"Nothing was changed in {site}.\n"
    assert tokens(site / "forecourt.db") == [("later",)]
    assert not list(site.glob(".forecourt.db.partial*"))
    assert not list(site.glob("*replaced*"))


def test_where_the_database_is_gone_commands_tell_of_the_one_that_was_set_aside(site: Path, tmp_path: Path) -> None:
    assert run("restore", tmp_path / "backup.db", site).returncode == 0
    (site / "forecourt.db").unlink()
    (aside,) = site.glob("forecourt.db.replaced-*")

    doctor = run("doctor", "--data-dir", site)
    assert f"Put it back: forecourt restore {aside} {site}" in doctor.stdout
    for words in (("serve",), ("setup-code",)):
        assert f"forecourt restore {aside} {site}" in run(*words, "--data-dir", site).stderr

    assert run("restore", aside, site).returncode == 0
    assert tokens(site / "forecourt.db") == [("later",)]


# --- what waits in a write-ahead log ---------------------------------------------------------------------------------------


def as_killed(data_dir: Path, change: Callable[[Readable], object]) -> None:
    """Leave a change in the write-ahead log, as a power cut does."""
    db = look_into(data_dir)
    change(db)
    left = data_dir.with_name("left")
    shutil.copytree(data_dir, left)
    db.close()
    shutil.rmtree(data_dir)
    left.rename(data_dir)
    assert (data_dir / "forecourt.db-wal").stat().st_size > 0


@pytest.mark.parametrize("damaged", [False, True])
def test_what_waits_in_the_log_goes_aside_with_its_database_and_not_into_the_backup(
    site: Path, tmp_path: Path, damaged: bool
) -> None:
    as_killed(site, lambda db: db.execute("UPDATE site SET name = 'Changed before the power cut'"))
    log = (site / "forecourt.db-wal").read_bytes()
    if damaged:
        (site / "forecourt.db").write_bytes(b"no database at all" * 1_000)
    assert run("restore", tmp_path / "backup.db", site).returncode == 0

    assert rows(site / "forecourt.db", "SELECT name FROM site") == [("Test yard",)]
    assert backup.problems_of(site / "forecourt.db") == []
    (aside,) = (path for path in site.glob("forecourt.db.replaced-*") if path.name[-1].isdigit())
    if damaged:
        assert aside.with_name(aside.name + "-wal").read_bytes() == log
    else:
        assert rows(aside, "SELECT name FROM site") == [("Changed before the power cut",)]


def test_a_log_without_its_database_is_not_played_into_the_backup(site: Path, tmp_path: Path) -> None:
    as_killed(site, lambda db: db.execute("UPDATE site SET name = 'Changed before the power cut'"))
    (site / "forecourt.db").unlink()
    assert run("restore", tmp_path / "backup.db", site).returncode == 0

    assert rows(site / "forecourt.db", "SELECT name FROM site") == [("Test yard",)]


def test_a_copy_with_its_log_is_restored_with_what_waits_in_it(site: Path, tmp_path: Path) -> None:
    as_killed(site, lambda db: db.execute("UPDATE site SET name = 'Changed before the power cut'"))
    assert run("restore", site / "forecourt.db", tmp_path / "other").returncode == 0

    assert rows(tmp_path / "other/forecourt.db", "SELECT name FROM site") == [("Changed before the power cut",)]
    assert stat.S_IMODE((tmp_path / "other/forecourt.db").stat().st_mode) == 0o600


# --- the numbers of transactions -------------------------------------------------------------------------------------------


def test_after_a_restore_no_number_is_given_again_that_a_charger_may_hold(site: Path, tmp_path: Path) -> None:
    report = "SELECT * FROM session_day"
    before = rows(tmp_path / "backup.db", report)
    assert charge(site) == 5  # After the backup: a charger knows this number.
    assert run("restore", tmp_path / "backup.db", site).returncode == 0

    assert rows(site / "forecourt.db", report) == before != []
    (newest,) = rows(site / "forecourt.db", "SELECT actor, action, subject FROM audit ORDER BY seq DESC LIMIT 1")
    assert newest == ("console", "site.restore", "site")
    skipped = 5 + NUMBERS_SKIPPED
    assert rows(site / "forecourt.db", "SELECT id, note FROM session WHERE state = 'failed'") == [(skipped, "restored")]
    assert charge(site) == skipped + 1
    assert backup.problems_of(site / "forecourt.db") == []

    # The same backup once more: what began since the first restore has numbers, too.
    assert run("restore", tmp_path / "backup.db", site).returncode == 0
    assert charge(site) == skipped + 1 + NUMBERS_SKIPPED + 1
    assert run("backup", site, tmp_path / "second.db").returncode == 0
    assert run("restore", tmp_path / "second.db", tmp_path / "elsewhere").returncode == 0
    assert charge(tmp_path / "elsewhere") == skipped + 1 + 2 * NUMBERS_SKIPPED + 2
    assert backup.problems_of(tmp_path / "elsewhere/forecourt.db") == []


def test_a_restored_site_without_a_charger_needs_no_new_numbers(tmp_path: Path) -> None:
    make_site(tmp_path / "site")
    assert run("backup", tmp_path / "site", tmp_path / "backup.db").returncode == 0
    assert run("restore", tmp_path / "backup.db", tmp_path / "other").returncode == 0

    assert rows(tmp_path / "other/forecourt.db", "SELECT count(*) FROM session") == [(0,)]


# --- what was ended since, and what could be used twice --------------------------------------------------------------------


def since(data_dir: Path) -> None:
    """What happens after the backup: somebody goes, a token is revoked, cards are lost, given back, and paid out."""
    db = look_into(data_dir)
    books = Books(db, data_dir / "forecourt.db")
    books.wait(7_200)
    db.execute("BEGIN")
    operators.disable(db, operators_rows.credentials(db, "gone")[0], by=books.by)  # type: ignore[index]
    tokens_units.revoke_token(db, 1, by=books.by)
    lost, returned, paid = (card.id for uid in ("04D1", "04D2", "04D3") if (card := cards_rows.by_uid(db, uid)))
    card_units.block(db, lost, "lost", books.by)
    cards_rows.set_content(db, returned, ContentState.WIPED)
    wallets.refund(db, cards_rows.find(db, paid).person_id, 5_000, "cash", "back", books.by)  # type: ignore[union-attr]
    wallets.top_up(db, cards_rows.find(db, lost).person_id, 700, "cash", "later", books.by)  # type: ignore[union-attr]
    db.flush()
    db.execute("COMMIT")
    db.close()


def narrow_fill(books: Books) -> None:
    """Everything that the day after makes narrower."""
    fill(books)
    by = books.by
    free = books.person("Nasrin", group=groups.add(books.db, "Free", Policy.FREE, by))
    for number in range(1, 8):
        books.card(f"04E{number}", free if number == 1 else books.person(f"Person {number}"))
    group = GroupId(1)
    for uid in ("04EA", "04EB", "04EC"):
        books.card(uid, books.person(uid, group=group))
    pool = pools.add(books.db, About("Acme", group), by)
    pools.join(books.db, pool, cards_rows.by_uid(books.db, "04EC").person_id, Own.KEPT, "same", by)  # type: ignore[union-attr]
    books.card("04E8", leaves := books.person("Leaves"))
    assert leaves
    for login, role in (("boss", "owner"), ("demoted", "manager"), ("changed", "cashier"), ("promoted", "cashier")):
        operators.add(books.db, login=login, name=login, role=role, language="", password_hash="old", by=by)
    for identity in ("RETIRED", "SECURED", "MOVED", "SAME"):
        books.station(identity, 1)
    request = {"method": "cash", "note": ""}
    asked = By("operator:2", books.now_ms)
    for key in ("decided", "waits"):
        approvals.ask(books.db, ApprovalKind.TOPUP, free, 900, request, key, asked)
    assert secure_tap.count_up(books.db, cards_rows.by_uid(books.db, "04E7").id, 3)  # type: ignore[union-attr]


def narrowed(data_dir: Path) -> None:
    """All of it is made narrower."""
    db = look_into(data_dir)
    books = Books(db, data_dir / "forecourt.db")
    books.wait(7_200)
    db.execute("BEGIN")
    by = books.by
    card = {f"04E{n}": cards_rows.by_uid(db, f"04E{n}") for n in range(1, 9)}
    nasrin = people.need(db, card["04E1"].person_id)  # type: ignore[union-attr]
    people.change(db, nasrin.id, by, name=nasrin.name, phone="", note="", language="", group=GroupId(1))
    db.execute("UPDATE card SET expires_at_ms = 1 WHERE uid = '04E2'")
    limits.change(db, card["04E3"].id, Limits(1_000, None, None, None, 127, 0, 1440, frozenset()), by)  # type: ignore[union-attr]
    in_pool, limited = (cards_rows.by_uid(db, uid).person_id for uid in ("04EA", "04EB"))  # type: ignore[union-attr]
    pools.join(db, db.execute("SELECT id FROM person WHERE is_pool = 1").fetchone()[0], in_pool, Own.KEPT, "since", by)
    person_limits.change(db, limited, Limits(month_minor=5_000), by)
    db.execute("UPDATE card SET pin_hash = 'x' WHERE uid = '04E4'")
    limits.change(db, card["04E5"].id, Limits(None, None, None, None, 127, 0, 1440, frozenset({1})), by)  # type: ignore[union-attr]
    assert secure_tap.count_up(db, card["04E7"].id, 9)  # type: ignore[union-attr]
    people.close(db, card["04E8"].person_id, by)  # type: ignore[union-attr]
    db.execute("UPDATE operator SET role = 'viewer' WHERE login = 'demoted'")
    db.execute("UPDATE operator SET role = 'owner' WHERE login = 'promoted'")
    db.execute("UPDATE operator SET password_hash = 'new' WHERE login = 'changed'")
    station = dict(db.execute("SELECT identity, id FROM station").fetchall())
    admission.retire(db, station["RETIRED"], by)
    credentials.secure(db, station["SECURED"], 1, bytes(32), by)
    admission.bind(db, station["MOVED"], Peer("10.0.0.9"), books.now_ms)
    approvals.refuse(db, 1, By("console", books.now_ms))
    db.flush()
    db.execute("COMMIT")
    db.close()


def test_what_was_made_narrower_since_stays_so_or_waits(tmp_path: Path) -> None:
    make_site(tmp_path / "site", narrow_fill)
    database = tmp_path / "site/forecourt.db"
    assert run("backup", tmp_path / "site", tmp_path / "backup.db").returncode == 0
    narrowed(tmp_path / "site")
    done = run("restore", tmp_path / "backup.db", tmp_path / "site")
    assert done.returncode == 0, done.stderr

    assert rows(database, "SELECT login, role, password_hash FROM operator ORDER BY id") == [
        ("boss", "owner", "old"), ("demoted", "viewer", "old"), ("changed", "cashier", "new"), ("promoted", "cashier", "old"),
    ]  # fmt: skip
    stations = {
        one: rest for one, *rest in rows(database, "SELECT identity, state, security_profile, bound_to FROM station")
    }
    assert stations["RETIRED"][0] == "retired"
    assert stations["SECURED"] == ["approved", 1, ""]
    assert stations["MOVED"] == ["approved", 0, "ip 10.0.0.9"]
    assert stations["SAME"] == ["approved", 0, ""]
    waiting = {uid for (uid,) in rows(database, "SELECT uid FROM card WHERE blocked_why = 'restored'")}
    assert waiting == {"04E1", "04E2", "04E3", "04E4", "04E5", "04E8", "04EA", "04EB"}
    assert rows(database, "SELECT tap_counter FROM card WHERE uid = '04E7'") == [(9,)]
    assert rows(database, "SELECT name FROM person WHERE closed_at_ms IS NOT NULL") == [("Leaves",)]
    assert rows(database, "SELECT DISTINCT state FROM approval") == [("expired",)]
    assert "2 approvals that waited have expired" in done.stdout
    assert (
        "1 narrower roles, 1 passwords of operators, 1 chargers retired, 2 chargers secured, 1 people closed."
        in done.stdout
    )
    assert "8 cards wait" in done.stdout
    assert backup.problems_of(database) == []


def test_where_everybody_was_demoted_somebody_owns_the_site_all_the_same(tmp_path: Path) -> None:
    make_site(tmp_path / "site", narrow_fill)
    assert run("backup", tmp_path / "site", tmp_path / "backup.db").returncode == 0
    db = look_into(tmp_path / "site")
    db.execute("UPDATE operator SET role = CASE login WHEN 'promoted' THEN 'owner' ELSE 'viewer' END")
    db.close()
    assert run("restore", tmp_path / "backup.db", tmp_path / "site").returncode == 0

    found = rows(tmp_path / "site/forecourt.db", "SELECT login FROM operator WHERE role = 'owner'")
    assert found == [("promoted",)]


def fill_for_since(books: Books) -> None:
    fill(books)
    for uid in ("04D1", "04D2", "04D3", "04D4"):
        books.card(uid, books.person(paid_in=10_000))
    number = operators.add(
        books.db, login="gone", name="Gone", role="manager", language="", password_hash="x", by=books.by
    )
    log_ins.log_in(books.db, number, tokens_units.new_token(), address="", browser="", now_ms=books.now_ms)
    tokens_units.create_token(books.db, "old", "owner", by=books.by)


@pytest.fixture
def lived(tmp_path: Path) -> Path:
    """A site that went on after its backup."""
    make_site(tmp_path / "site", fill_for_since)
    assert run("backup", tmp_path / "site", tmp_path / "backup.db").returncode == 0
    since(tmp_path / "site")
    return tmp_path / "site"


def test_a_restore_revives_nothing_that_was_ended_since(lived: Path, tmp_path: Path) -> None:
    database = lived / "forecourt.db"
    printed = rows(database, "SELECT max(number) FROM receipt")[0][0]
    done = run("restore", tmp_path / "backup.db", lived)
    assert done.returncode == 0, done.stderr

    assert rows(database, "SELECT count(*) FROM operator_session WHERE ended_at_ms IS NULL") == [(0,)]
    assert rows(database, "SELECT disabled_at_ms IS NULL FROM operator WHERE login = 'gone'") == [(0,)]
    assert rows(database, "SELECT name FROM api_token WHERE revoked_at_ms IS NULL") == []
    blocked = dict(rows(database, "SELECT uid, blocked_why FROM card WHERE blocked_at_ms IS NOT NULL"))
    assert blocked == {"04D1": "lost", "04D2": "restored", "04D3": "restored"}
    assert "All log-ins have ended (1). New receipts begin at number 1,000,001." in done.stdout
    assert "1 operators disabled, 1 API tokens revoked, 1 cards blocked" in done.stdout
    assert "2 cards wait" in done.stdout
    assert "2 receipts of since are not in these books" in done.stdout
    assert rows(database, "SELECT count(*) FROM problem WHERE kind = 'restored' AND cleared_at_ms IS NULL") == [(1,)]

    assert top_up(lived) == 1_000_001 > printed
    assert top_up(lived) == 1_000_002
    assert backup.problems_of(database) == []
    assert run("restore", tmp_path / "backup.db", lived).returncode == 0
    assert top_up(lived) == 2_000_001
    assert backup.problems_of(database) == []


def test_onto_a_new_box_it_says_what_to_look_at(lived: Path, tmp_path: Path) -> None:
    done = run("restore", tmp_path / "backup.db", tmp_path / "elsewhere")

    assert done.returncode == 0
    assert "There were no books to compare with" in done.stdout
    assert "All log-ins have ended (1)" in done.stdout
    assert top_up(tmp_path / "elsewhere") == 1_000_001


def top_up(data_dir: Path) -> int:
    """Money over the desk; the number of its receipt."""
    db = look_into(data_dir)
    db.execute("BEGIN")
    number = db.execute("SELECT count(*) FROM receipt").fetchone()[0]
    booked = wallets.top_up(db, PersonId(1), 100, "cash", f"after-{number}", By(ACTOR, NOON_MS * 2 + number))
    db.flush()
    db.execute("COMMIT")
    db.close()
    assert booked.receipt is not None
    return booked.receipt


# --- vouchers ----------------------------------------------------------------------------------------------------------------


def later_with_vouchers(data_dir: Path) -> None:
    """After the backup one is redeemed, one sold, one given away is redeemed, one voided, and another batch is printed."""
    db = look_into(data_dir)
    books = Books(db, data_dir / "forecourt.db")
    books.wait(7_200)
    db.execute("BEGIN")
    vouchers.redeem(db, Asked(number=(1, 1)), PersonId(1), books.by)
    vouchers.sell(db, Asked(number=(1, 3)), "cash", books.by)
    vouchers.void(db, Asked(number=(1, 4)), "", books.by)
    vouchers.redeem(db, Asked(number=(2, 1)), PersonId(1), books.by)
    printed(books, count=2)
    db.flush()
    db.execute("COMMIT")
    db.close()


def test_no_voucher_that_was_used_since_is_used_again(tmp_path: Path) -> None:
    def fill_with_vouchers(books: Books) -> None:
        fill(books)
        printed(books, 1_000, count=5)
        printed(books, 500, count=2, given_away=True)
        for number in (1, 2):
            vouchers.sell(books.db, Asked(number=(1, number)), "cash", books.by)

    make_site(tmp_path / "site", fill_with_vouchers)
    assert run("backup", tmp_path / "site", tmp_path / "backup.db").returncode == 0
    later_with_vouchers(tmp_path / "site")
    done = run("restore", tmp_path / "backup.db", tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert "4 vouchers are held" in done.stdout

    database = tmp_path / "site/forecourt.db"
    assert rows(database, "SELECT batch_id, number, state FROM voucher ORDER BY id") == [
        (1, 1, "held"), (1, 2, "sold"), (1, 3, "held"), (1, 4, "held"), (1, 5, "made"), (2, 1, "held"), (2, 2, "made"),
    ]  # fmt: skip
    assert rows(database, "SELECT count(*) FROM voucher_sheet") == [(0,)]
    db = look_into(tmp_path / "site")
    books = Books(db, database)
    books.wait(10_000)
    db.execute("BEGIN")
    for held in (Asked(number=(1, 1)), Asked(number=(2, 1))):
        with pytest.raises(Conflict, match="is held"):
            vouchers.redeem(db, held, PersonId(1), books.by)
    assert printed(books)[0] == 4  # The third was printed after the backup: its numbers are on paper.
    # Somebody has looked: in these books it was sold and not used.
    vouchers.release(db, vouchers.need(db, Asked(number=(1, 1))).id, books.by)
    vouchers.redeem(db, Asked(number=(1, 1)), PersonId(1), books.by)
    vouchers.void(db, Asked(number=(2, 1)), "", books.by)
    db.flush()
    db.execute("COMMIT")
    assert figures.wrong_figures(db) == []
    db.close()


def test_books_are_asked_for_vouchers_from_the_migration_on_that_brought_them() -> None:
    assert [number for number, script in migrations() if "CREATE TABLE voucher " in script] == [
        restoring.VOUCHERS_SINCE_VERSION
    ]
