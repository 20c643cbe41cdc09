"""Anchors: what the books were at a moment, under a key that is not in them.

An anchor names the newest row of the ledger, of the audit list and of the receipts; what is changed, cut off or chained anew
before it shows. What may change (people, cards, prices, who may come in) has a seal of each row, and a row may be another than the one
that was sealed only if something that names it is on record since.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

import orjson

from appliance.db.engine.protocols import Readable
from appliance.db.engine.sql import marks
from appliance.db.engine.unit import Database
from appliance.db.integrity import counts, history
from appliance.domain.ledger import FIRST_HASH

SINCE_VERSION = 14
"""Of the schema."""
SEAL_CHARS = 16
NO_RECEIPT = (0, FIRST_HASH)
GIVES = "station.gives"
ITSELF_ONLY = frozenset({GIVES, "person.buyer", "station.meter_key"})
"""What a charger says itself of its power, and the like, explains nothing but that."""
SEALED = {
    "operator": "SELECT id, login, name, role, password_hash, disabled_at_ms FROM operator",
    "token": "SELECT id, name, role, token_hash, revoked_at_ms FROM api_token",
    # Lines stand with the name, so that a tariff without any has the seal that older releases gave it.
    "tariff": """SELECT id, name || coalesce(terms, ''), energy_milli_per_kwh, time_milli_per_minute, idle_milli_per_minute, idle_grace_s, flat_milli,
        tax_basis_points, archived_at_ms FROM tariff""",
    "tariff.default": "SELECT 'all', id FROM tariff WHERE is_default = 1",
    # Thresholds stand with the name, what a pool is with the phone, so that rows without any have the seal that older releases gave them.
    "group": """SELECT id, name || CASE WHEN minimum_minor IS NULL AND emergency_minor = 0 AND low_minor IS NULL THEN ''
          ELSE '|' || coalesce(minimum_minor, '') || '|' || emergency_minor || '|' || coalesce(low_minor, '') END,
        policy, limit_minor, tariff_id FROM person_group""",
    "person": """SELECT id, name, phone || CASE WHEN is_pool = 0 AND pool_id IS NULL THEN ''
          ELSE '|' || is_pool || '|' || coalesce(pool_id, '') END,
        group_id, wallet_id, closed_at_ms FROM person""",
    "person.limit": "SELECT person_id, day_energy_wh, day_minor, month_energy_wh, month_minor FROM person_limit",
    "person.merged": "SELECT id, merged_into FROM person WHERE merged_into IS NOT NULL",
    "card": """SELECT id, uid, person_id, label, transactions_max, expires_at_ms, blocked_at_ms, replaced_by, pin_hash, id_token_type,
        token, issue, kind, number FROM card""",
    "card.limit": """SELECT card_id, CASE WHEN month_energy_wh IS NULL AND month_minor IS NULL THEN session_energy_wh
          ELSE coalesce(session_energy_wh, '') || '|' || coalesce(month_energy_wh, '') || '|' || coalesce(month_minor, '') END,
        session_minor, day_energy_wh, day_minor, weekdays, from_minute, until_minute FROM card_limit""",
    "card.station": "SELECT card_id || '-' || station_id FROM card_station",
    "card.alias": "SELECT card_id || '-' || token, card_id FROM card_alias",
    "station": """SELECT id, identity, state, password_hash, security_profile, next_password_hash, bound_to FROM station
        WHERE state <> 'knocking'""",
    "station.power": "SELECT station_id || '-' || evse || '-' || connector, power_max_w FROM connector WHERE power_max_w > 0",
    "log_in": "SELECT id, operator_id, token_hash, began_at_ms FROM operator_session",
    "approval": "SELECT person_id || '-' || id, kind, amount_minor, request, key, asked_by, asked_at_ms FROM approval",
    "shift": """SELECT id, drawer, actor, taken_over, opened_at_ms, opened_seq, float_minor, float_pieces, closed_at_ms, closed_by, closed_seq,
        expected_minor, counted_minor, counted_pieces, reason, z_number, details FROM shift""",
    "setting": "SELECT name, value FROM setting WHERE name NOT LIKE 'setup.%'",
    "site": "SELECT 'all', name, currency, exponent, timezone, language, demo, secret, receipts_from FROM site",
}
"""What may change, by kind: the first column is what it is called by."""
OLDER = ",".join(SEALED)
"""The kinds that were sealed before it was kept which these are."""
SEALED |= {
    "account": "SELECT id, kind, name FROM account",
    "tariff.course": "SELECT id, valid_from_ms, follows_id, created_at_ms FROM tariff",
    "approval.decided": """SELECT person_id || '-' || id, state, decided_by, decided_at_ms FROM approval WHERE state <> 'pending'""",
    "voucher.sheet": "SELECT batch_id, sealed, until_at_ms FROM voucher_sheet",
    "card.content": "SELECT id, content, blocked_why, deposit_minor, created_at_ms FROM card",
    "person.note": "SELECT id, note, language, created_at_ms FROM person",
    "station.name": "SELECT id, name, place, created_at_ms FROM station WHERE state <> 'knocking'",
    GIVES: """SELECT station_id || '-' || evse || '-' || connector, power_told_w, power_seen_w FROM connector
        WHERE power_told_w > 0 OR power_seen_w > 0""",
    "setting.holidays": "SELECT id, made_at_ms, actor, days FROM holiday_list",
    "station.tariff": "SELECT station_id || '-' || evse, tariff_id FROM place_tariff",
    "owner_key": "SELECT 'all', public_key, enclosed, made_at_ms FROM owner_key",
    "person.contact": "SELECT id, contact, hides_balance FROM person",
    "person.buyer": "SELECT person.id, buyer.name, address, buyer.tax_number FROM buyer JOIN person ON person.wallet_id = buyer.wallet_id",
    "station.meter_key": "SELECT station_id || '-' || evse, public_key FROM meter_key",
    "old_card": "SELECT card_id, uid, amount_minor, receipt FROM old_card WHERE state <> 'listed'",
    "site.beginning": "SELECT 'all', created_at_ms, voucher_batches_from, bills_from, statements_from FROM site",
}
KINDS = "kinds"
"""Under this name stands with the seals of which kinds they are: a later release knows more."""
NAMED_BY = {
    "card.import": ("person", "card", "card.limit", "group"), "site.restore": tuple(SEALED), "person.merge": ("card", "person", "person.merged"),
    "tariff.change": ("tariff", "tariff.default", "tariff.course", "group", "station.tariff"), "tariff.default": ("tariff.default",), "tariff.archive": ("tariff.default",),
    "tariff.create": ("tariff.default",), "setting.site": ("site",), "site.owner_key": ("owner_key",), "site.new_secrets": ("owner_key", "voucher.sheet"),
}  # fmt: skip
"""Actions that name no single row: the kinds of which they explain any."""
ONLY_ADDED = ("log_in", "voucher.sheet")
"""Rows of these are never changed, and go after a while. That a new log-in is on record is a figure (figures.py)."""
FOR_EVER = ("account", "approval.decided", "old_card")
"""Rows of these come, and then stay as they are."""
CHANGES_NOTHING = frozenset(
    {"operator.log_in", "operator.log_in_failed", "operator.end_log_in", "person.topup", "person.refund", "person.buyer", "station.meter_key", "person.correct", "station.start",
     "station.stop", "station.learn", "token.use_revoked", "shift.pay_in", "shift.pay_out", "shift.count",
     GIVES}
)  # fmt: skip
"""Actions that name a row which they leave as it is: they explain nothing."""
BEGUN = "site.anchor"
"""Put on record with the first anchor, and with the first after one of these."""
ANEW = ("site.restore", "site.new_secrets", "site.accept_books")
"""After one of these what was kept beside the books is begun anew."""
COLUMNS = "at_ms, transfer_seq, transfer_hash, audit_seq, audit_hash, receipt_number, receipts_hash, mac"


@dataclass(frozen=True, slots=True)
class Anchor:
    """The newest rows at a moment. `mac` is over all the rest."""

    at_ms: int
    transfer_seq: int
    transfer_hash: bytes
    audit_seq: int
    audit_hash: bytes
    receipt_number: int
    receipts_hash: bytes
    mac: bytes

    def line(self) -> str:
        """One word, as it goes into the journal."""
        return ":".join(
            value.hex() if isinstance(value, bytes) else str(value)
            for value in (getattr(self, name) for name in self.__slots__)
        )

    @classmethod
    def read(cls, line: str) -> Anchor:
        """Back from that word; ValueError if it is none."""
        parts = line.split(":")
        if len(parts) != len(cls.__slots__):
            raise ValueError("no anchor")
        numbers, texts = [int(parts[i]) for i in (0, 1, 3, 5)], [bytes.fromhex(parts[i]) for i in (2, 4, 6, 7)]
        return cls(numbers[0], numbers[1], texts[0], numbers[2], texts[1], numbers[3], texts[2], texts[3])

    def is_made_with(self, key: bytes) -> bool:
        """Whether it is one of the site's own."""
        return hmac.compare_digest(self.mac, _mac(key, self))


def take(db: Readable, key: bytes, now_ms: int) -> Anchor:
    """The anchor of this moment. Of the receipts only those are read that have come since the last one."""
    transfer_seq, transfer_hash = _newest_row(db, "transfer")
    audit_seq, audit_hash = _newest_row(db, "audit")
    last = newest(db)
    number, digest = _receipts(db, (last.receipt_number, last.receipts_hash) if last is not None else NO_RECEIPT)
    bare = Anchor(now_ms, transfer_seq, transfer_hash, audit_seq, audit_hash, number, digest, b"")
    return replace(bare, mac=_mac(key, bare))


def keep(db: Database, anchor: Anchor) -> bool:
    """Write it into the books, if there is anything new since the last one; whether there was."""
    last = newest(db)
    if last is not None and (last.at_ms >= anchor.at_ms or _tips(last) == _tips(anchor)):
        return False
    db.execute(
        f"INSERT INTO anchor ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        tuple(getattr(anchor, name) for name in Anchor.__slots__),
    )
    return True


def first(db: Database, key: bytes, now_ms: int) -> Anchor:
    """Take and keep it, in the unit that puts on record that it is the first."""
    db.execute("UPDATE site SET anchored = 0")
    db.flush()
    anchor = take(db, key, now_ms)
    keep(db, anchor)
    return anchor


def newest(db: Readable) -> Anchor | None:
    """The last one in the books."""
    row = db.execute(f"SELECT {COLUMNS} FROM anchor ORDER BY at_ms DESC LIMIT 1").fetchone()
    return Anchor(*row) if row else None


def begin_anew(db: Readable) -> bool:
    """Whether there need be nothing to compare with: no anchor lies beside the books yet, or something on record since the last one says so.

    That none does yet is believed of books that had none before, or in which the first one is the last.
    """
    is_demo, is_anchored = db.execute("SELECT demo, anchored FROM site").fetchone()
    if is_demo:
        return True  # Its past is made up.
    last = newest(db)
    (begun,) = db.execute("SELECT max(seq) FROM audit WHERE action = ?", (BEGUN,)).fetchone()
    if not is_anchored and begun == (last.audit_seq if last is not None else None):
        return True
    (told,) = db.execute(f"SELECT max(seq) FROM audit WHERE action IN ({marks(ANEW)})", ANEW).fetchone()
    since = last.audit_seq if last is not None else begun or 0
    return told is not None and told > since


def lies_beside(db: Database) -> None:
    """What the books are compared with lies beside them now."""
    db.execute("UPDATE site SET anchored = 1 WHERE anchored = 0")


def broken(db: Readable, anchor: Anchor) -> list[str]:
    """What of an anchor the books do not hold any more."""
    wrong = []
    for name, table, number, digest in (
        ("ledger", "transfer", anchor.transfer_seq, anchor.transfer_hash),
        ("audit list", "audit", anchor.audit_seq, anchor.audit_hash),
    ):
        row = db.execute(f"SELECT hash FROM {table} WHERE seq = ?", (number,)).fetchone()
        if number and row is None:
            wrong.append(f"the {name} was cut off: it had {number} rows")
        elif number and row[0] != digest:
            wrong.append(f"the {name} was written anew up to row {number}")
    if _receipts(db, NO_RECEIPT, anchor.receipt_number) != (anchor.receipt_number, anchor.receipts_hash):
        wrong.append(f"the receipts up to number {anchor.receipt_number} are not those that were given out")
    return wrong


def all_broken(db: Readable, key: bytes | None) -> list[str]:
    """What is wrong with the anchors in the books themselves: every one holds, and is made with the site's key."""
    last: Anchor | None = None
    # Anchors from before the sealing key was exchanged were made with another.
    (since,) = db.execute("SELECT coalesce(max(seq), 0) FROM audit WHERE action = 'site.new_secrets'").fetchone()
    for row in db.execute(f"SELECT {COLUMNS} FROM anchor ORDER BY at_ms"):
        anchor = Anchor(*row)
        if key is not None and anchor.audit_seq >= since and not anchor.is_made_with(key):
            return [f"the anchor of {anchor.at_ms} was not made by this site"]
        if last is not None and (anchor.transfer_seq < last.transfer_seq or anchor.audit_seq < last.audit_seq):
            return [f"the anchor of {anchor.at_ms} is before the one before it"]
        last = anchor
    return broken(db, last) if last is not None else []


# --- what may change -------------------------------------------------------------------------------------------------------


def seals(db: Readable, key: bytes, now_ms: int) -> dict[str, str]:
    """A seal of each row that may change, by kind and name; of what is over (history.py); and counts that only rise."""
    return {KINDS: ",".join(SEALED), **history.seals(db, key, now_ms), **counts.counts(db), **of_rows(db, key)}


def of_rows(db: Readable, key: bytes) -> dict[str, str]:
    """The seal of each row that may change."""
    found = {}
    for kind, query in SEALED.items():
        for name, *values in db.execute(query):
            plain = orjson.dumps(
                [kind, name, *(value.hex() if isinstance(value, bytes) else value for value in values)]
            )
            found[f"{kind}:{name}"] = hmac.new(key, plain, sha256).hexdigest()[:SEAL_CHARS]
    return found


def unexplained(
    db: Readable,
    key: bytes,
    before: Mapping[str, str],
    now: Mapping[str, str],
    since_seq: int,
    since_ms: int,
    now_ms: int,
) -> list[str]:
    """Rows that are others than they were, without anything on record since that names them; `now` are their seals."""
    explained, kinds = _on_record(db, since_seq, since_ms)
    known = before.get(KINDS, OLDER).split(",")
    rows = {name for name in before.keys() | now.keys() if name.partition(":")[0] in known}
    wrong = sorted(
        _sentence(name, before, now)
        for name in rows
        if before.get(name) != now.get(name) and not _is_explained(name, before, now, explained, kinds)
    )
    return [
        *wrong,
        *history.unexplained(db, key, before, explained, now_ms),
        *counts.fallen(before, counts.counts(db), explained),
    ]


def _on_record(db: Readable, since_seq: int, since_ms: int) -> tuple[set[str], set[str]]:
    """What has been named since: single rows, and kinds of which any may be another."""
    explained, kinds = set(), set()
    for action, subject, details in db.execute(
        "SELECT action, subject, details FROM audit WHERE seq > ?", (since_seq,)
    ):
        kinds |= set(NAMED_BY.get(action, ()))
        if action == "desk.undo":
            explained.add(f"desk_job:{orjson.loads(details)['job']}")
        if action in ITSELF_ONLY:
            explained.add(f"{action}:{subject.partition(':')[2]}")
        if action.startswith("approval."):
            explained.add(f"approval:{subject.partition(':')[2]}")
        elif action not in CHANGES_NOTHING:
            explained.add(subject)
    explained |= {
        name
        for card, person in db.execute(
            """SELECT card_id, person_id FROM desk_job WHERE changed_at_ms >= :since AND state <> 'failed'
            UNION ALL SELECT batch_card.card_id, card.person_id FROM desk_job JOIN batch_card ON job_id = desk_job.id
              JOIN card ON card.id = batch_card.card_id WHERE changed_at_ms >= :since""",
            {"since": since_ms},
        )
        for name in (f"card:{card}", f"person:{person}")
    }
    return explained, kinds


def _is_explained(
    name: str, before: Mapping[str, str], now: Mapping[str, str], explained: set[str], kinds: set[str]
) -> bool:
    kind, _colon, called = name.partition(":")
    if kind in kinds:
        return True
    if kind in ONLY_ADDED:
        return name not in before or name not in now
    if kind in FOR_EVER:
        return name not in before
    row = called.partition("-")[0]
    return not explained.isdisjoint((f"{kind.partition('.')[0]}:{row}", f"{kind}:{row}"))


def _sentence(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> str:
    how = "is gone" if name not in now else "is new" if name not in before else "was changed"
    return f"{name} {how}, and nothing on record says so"


# --- inside ----------------------------------------------------------------------------------------------------------------


def _newest_row(db: Readable, table: str) -> tuple[int, bytes]:
    row: tuple[int, bytes] | None = db.execute(f"SELECT seq, hash FROM {table} ORDER BY seq DESC LIMIT 1").fetchone()
    return row or (0, FIRST_HASH)


def _receipts(db: Readable, known: tuple[int, bytes], up_to: int = 2**62) -> tuple[int, bytes]:
    """The newest receipt up to that number, and the hash over all up to it; `known` are those of an older one."""
    number, digest = known
    for row in db.execute(
        """SELECT number, kind, at_ms, actor, person_id, card_id, amount_minor, deposit_minor, method, balance_minor, corrects, details
        FROM receipt WHERE number > ? AND number <= ? ORDER BY number""",
        (number, up_to),
    ):
        number, digest = row[0], sha256(digest + orjson.dumps(row)).digest()
    return number, digest


def _tips(anchor: Anchor) -> tuple[object, ...]:
    return tuple(getattr(anchor, name) for name in Anchor.__slots__[1:-1])


def _mac(key: bytes, anchor: Anchor) -> bytes:
    values = [
        value.hex() if isinstance(value, bytes) else value
        for value in (getattr(anchor, name) for name in Anchor.__slots__[:-1])
    ]
    return hmac.new(key, orjson.dumps(values), sha256).digest()
