"""What a restore takes from the books that it replaces, so that a backup revives nothing that was ended since."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from appliance.db.engine.migrate import version
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.vouchers import papers
from appliance.domain.roles import Role
from appliance.domain.voucher import VoucherState

SERIES = 1_000_000
"""How far the receipts of a restored site begin above those of before."""
SINCE_VERSION = 14
"""Of the schema: receipts have series."""
VOUCHERS_SINCE_VERSION = 22
"""Of the schema: there are vouchers."""
PAPERS = {"bill": (26, "bills_from"), "statement": (28, "statements_from")}
"""Tables of what is numbered in series: since which version of the schema, and the column of the site that says where the next one begins."""
POOLS_SINCE_VERSION = 25
"""Of the schema: there are pools, limits of people, and emergency credit."""
RESTORED = "restored"
"""Why a card is blocked that waits until somebody has looked at it."""


@dataclass(frozen=True, slots=True)
class Staff:
    """An operator, as far as it matters who may do what."""

    login: str
    role: Role
    password_hash: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class Charger:
    """A station, and how it proves who it is."""

    id: int
    identity: str
    state: str
    proof: tuple[int, bytes | None, bytes | None]
    """Security profile, password, and the next one."""
    bound_to: str


CARDS = """
SELECT card.uid, card.id, person_id, issue, content, expires_at_ms, transactions_max, token, pin_hash, replaced_by, group_id, policy,
  limit_minor, closed_at_ms IS NOT NULL, session_energy_wh, session_minor, day_energy_wh, day_minor, weekdays, from_minute, until_minute
FROM card JOIN person ON person.id = person_id JOIN person_group ON person_group.id = group_id
LEFT JOIN card_limit ON card_limit.card_id = card.id
"""


POOLS = """
UNION ALL SELECT card.id, 'pays ' || pool_id FROM card JOIN person ON person.id = person_id WHERE pool_id IS NOT NULL
UNION ALL SELECT card.id, 'lends ' || person_group.emergency_minor FROM card JOIN person ON person.id = person_id
  LEFT JOIN person AS pool ON pool.id = person.pool_id JOIN person_group ON person_group.id = coalesce(pool.group_id, person.group_id)
  WHERE person_group.emergency_minor > 0
UNION ALL SELECT card_id, 'a month ' || coalesce(month_energy_wh, '') || ' ' || coalesce(month_minor, '') FROM card_limit
  WHERE month_energy_wh IS NOT NULL OR month_minor IS NOT NULL
UNION ALL SELECT card.id, 'of ' || person_limit.person_id || ' ' || coalesce(day_energy_wh, '') || ' ' || coalesce(day_minor, '') || ' '
    || coalesce(month_energy_wh, '') || ' ' || coalesce(month_minor, '')
  FROM card JOIN person ON person.id = card.person_id JOIN person_limit ON person_limit.person_id = person.id OR person_limit.person_id = person.pool_id
"""
"""What else decides about a card: its holder's pool, the credit, limits of months and of people. Nothing, where there is none of it."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """The books that are replaced, as far as they matter for those that take their place."""

    newest_session: int
    newest_receipt: int
    receipts_from: int
    disabled: tuple[str, ...]
    """Logins of operators."""
    revoked: tuple[bytes, ...]
    """Hashes of tokens."""
    blocked: tuple[tuple[str, int, str], ...]
    """Cards: UID, when, and why."""
    cards: dict[str, tuple[object, ...]]
    """By UID: whose, what is on it, what it may, and how its holder pays."""
    taps: tuple[tuple[str, int], ...]
    """UID, and how often it was tapped."""
    operators: tuple[Staff, ...]
    stations: tuple[Charger, ...]
    closed: tuple[tuple[int, int], ...]
    """People who have left: number, and since when the books know them."""
    secret: bytes
    """The site's key: only under the same one the passwords of chargers mean the same."""
    receipts: tuple[tuple[int, int | None, int], ...]
    """Number, holder and amount."""
    newest_batch: int
    """Of vouchers."""
    newest_papers: dict[str, int]
    """By the table of a kind of papers that has series: the newest number, or the one before that which a restore has said comes next."""
    vouchers: dict[bytes, VoucherState]
    """By the hash of their codes, those that are not as they were made."""


def replaced(db: Readable) -> Replaced:
    """Read it."""
    has_series, has_vouchers = version(db) >= SINCE_VERSION, version(db) >= VOUCHERS_SINCE_VERSION
    return Replaced(
        newest_session=db.execute("SELECT coalesce(max(id), 0) FROM session").fetchone()[0],
        newest_receipt=newest_receipt(db),
        receipts_from=db.execute("SELECT receipts_from FROM site").fetchone()[0] if has_series else 1,
        disabled=tuple(login for (login,) in db.execute("SELECT login FROM operator WHERE disabled_at_ms IS NOT NULL")),
        revoked=tuple(one for (one,) in db.execute("SELECT token_hash FROM api_token WHERE revoked_at_ms IS NOT NULL")),
        blocked=tuple(db.execute("SELECT uid, blocked_at_ms, blocked_why FROM card WHERE blocked_at_ms IS NOT NULL")),
        cards=cards(db),
        taps=tuple(db.execute("SELECT uid, tap_counter FROM card WHERE tap_counter >= 0")),
        operators=staff(db),
        stations=chargers(db),
        closed=tuple(db.execute("SELECT id, created_at_ms FROM person WHERE closed_at_ms IS NOT NULL")),
        secret=site_secret(db),
        receipts=tuple(db.execute("SELECT number, person_id, amount_minor FROM receipt")),
        newest_batch=newest_batch(db) if has_vouchers else 0,
        newest_papers=newest_papers(db),
        vouchers={one.code_hash: one.state for one in papers(db) if one.state != VoucherState.MADE}
        if has_vouchers
        else {},
    )


def newest_receipt(db: Readable) -> int:
    """Its number; 0 if there is none."""
    return int(db.execute("SELECT coalesce(max(number), 0) FROM receipt").fetchone()[0])


def newest_batch(db: Readable) -> int:
    """The number of the newest batch of vouchers, or the one before that which a restore has said comes next."""
    return int(
        db.execute(
            "SELECT max(voucher_batches_from - 1, (SELECT coalesce(max(id), 0) FROM voucher_batch)) FROM site"
        ).fetchone()[0]
    )


def begin_batches(db: Database, *, beyond: int) -> None:
    """Let the next batch of vouchers have a number above all of these books and above that one."""
    db.execute("UPDATE site SET voucher_batches_from = ?", (max(newest_batch(db), beyond) + 1,))


def newest_papers(db: Readable) -> dict[str, int]:
    """Of bills and statements: the newest number, or the one before that which a restore has said comes next."""
    there = {table: first for table, (since, first) in PAPERS.items() if version(db) >= since}
    return {
        table: int(
            db.execute(f"SELECT max({first} - 1, (SELECT coalesce(max(number), 0) FROM {table})) FROM site").fetchone()[
                0
            ]
        )
        for table, first in there.items()
    }


def begin_papers(db: Database, *, beyond: dict[str, int]) -> None:
    """Let the next bill and the next statement begin a series above all of these books and above those numbers."""
    for table, newest in newest_papers(db).items():
        number = max(newest, beyond.get(table, 0)) // SERIES * SERIES + SERIES + 1
        db.execute(f"UPDATE site SET {PAPERS[table][1]} = ?", (number,))


def forget_sheets(db: Database) -> None:
    """No codes of vouchers are kept whole."""
    db.execute("DELETE FROM voucher_sheet")


def end_all_log_ins(db: Database, now_ms: int) -> int:
    """Nobody is logged in any more; how many were."""
    return db.execute("UPDATE operator_session SET ended_at_ms = ? WHERE ended_at_ms IS NULL", (now_ms,)).rowcount


def disable_operators(db: Database, logins: tuple[str, ...], now_ms: int) -> int:
    """Those who were disabled since the backup; how many."""
    return _each(
        db,
        "UPDATE operator SET disabled_at_ms = ? WHERE login = ? AND disabled_at_ms IS NULL",
        [(now_ms, login) for login in logins],
    )


def revoke_tokens(db: Database, hashes: tuple[bytes, ...], now_ms: int) -> int:
    """Those that were revoked since; how many."""
    return _each(
        db,
        "UPDATE api_token SET revoked_at_ms = ? WHERE token_hash = ? AND revoked_at_ms IS NULL",
        [(now_ms, one) for one in hashes],
    )


def block_cards(db: Database, blocked: list[tuple[str, int, str]]) -> int:
    """Cards by UID, when and why, unless they are blocked; how many were not."""
    return _each(
        db,
        "UPDATE card SET blocked_at_ms = ?, blocked_why = ? WHERE uid = ? AND blocked_at_ms IS NULL",
        [(at_ms, why, uid) for uid, at_ms, why in blocked],
    )


def cards(db: Readable) -> dict[str, tuple[object, ...]]:
    """By UID: holder, how often it was given out, what is on it, its expiry, its limits, how its holder pays."""
    more: dict[int, list[object]] = defaultdict(list)
    pools = POOLS if version(db) >= POOLS_SINCE_VERSION else ""
    for card, one in db.execute(
        f"""SELECT card_id, CAST(station_id AS TEXT) AS one FROM card_station UNION ALL SELECT card_id, 'as ' || token FROM card_alias
        {pools} ORDER BY one"""
    ):
        more[card].append(one)
    return {uid: (person, *rest, *more[card]) for uid, card, person, *rest in db.execute(CARDS)}


def count_taps(db: Database, taps: tuple[tuple[str, int], ...]) -> None:
    """What was tapped since is not taken again."""
    _each(
        db,
        "UPDATE card SET tap_counter = ? WHERE uid = ? AND tap_counter < ?",
        [(taps_, uid, taps_) for uid, taps_ in taps],
    )


def staff(db: Readable) -> tuple[Staff, ...]:
    """All of it."""
    rows = db.execute("SELECT login, role, password_hash, disabled_at_ms IS NOT NULL FROM operator ORDER BY id")
    return tuple(Staff(login, Role(role), kept, bool(disabled)) for login, role, kept, disabled in rows)


def set_role(db: Database, login: str, role: Role) -> None:
    """Of an operator."""
    db.execute("UPDATE operator SET role = ? WHERE login = ?", (role, login))


def set_password_hash(db: Database, login: str, password_hash: str) -> None:
    """Of an operator."""
    db.execute("UPDATE operator SET password_hash = ? WHERE login = ?", (password_hash, login))


def chargers(db: Readable) -> tuple[Charger, ...]:
    """All of them."""
    rows = db.execute(
        "SELECT id, identity, state, security_profile, password_hash, next_password_hash, bound_to FROM station ORDER BY id"
    )
    return tuple(
        Charger(number, identity, state, (profile, kept, new), bound_to)
        for number, identity, state, profile, kept, new, bound_to in rows
    )


def set_proof(db: Database, station: int, later: Charger) -> None:
    """How a station proves who it is; the device stays where none is bound since."""
    db.execute(
        """UPDATE station SET security_profile = ?, password_hash = ?, next_password_hash = ?,
        bound_to = CASE WHEN ? = '' THEN bound_to ELSE ? END WHERE id = ?""",
        (*later.proof, later.bound_to, later.bound_to, station),
    )


def close_people(db: Database, people: tuple[tuple[int, int], ...], now_ms: int) -> int:
    """Those who have left since, where nothing is left in their wallet; how many."""
    return _each(
        db,
        """UPDATE person SET closed_at_ms = ? WHERE id = ? AND created_at_ms = ? AND closed_at_ms IS NULL
        AND NOT EXISTS (SELECT 1 FROM account WHERE account.id = wallet_id AND (credit_posted <> debit_posted OR debit_pending <> 0))
        AND NOT EXISTS (SELECT 1 FROM session WHERE person_id = person.id AND state IN ('requested', 'running', 'review'))""",
        [(now_ms, person, created_at_ms) for person, created_at_ms in people],
    )


def site_secret(db: Readable) -> bytes:
    """The key under which passwords of stations are hashed."""
    return bytes(db.execute("SELECT secret FROM site").fetchone()[0])


def begin_series(db: Database, *, beyond: int) -> int:
    """Let the next receipt begin a series above all of these books and above that number; its number."""
    newest = max(newest_receipt(db), beyond, int(db.execute("SELECT receipts_from FROM site").fetchone()[0]))
    number = (newest // SERIES + 1) * SERIES + 1
    db.execute("UPDATE site SET receipts_from = ?", (number,))
    return number


def _each(db: Database, sql: str, rows: list[tuple[object, ...]]) -> int:
    return sum(db.execute(sql, row).rowcount for row in rows)
