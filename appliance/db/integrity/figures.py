"""Figures that follow from others: each is reckoned again from what it follows from. Every check names one that is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import orjson

from appliance.db.engine.protocols import Readable
from appliance.db.integrity import vouchers
from appliance.db.sessions import lines
from appliance.db.sessions.open_sessions import IS_OPEN
from appliance.db.sessions.samples import checksum
from appliance.db.tariff_terms import from_text
from appliance.db.tariffs import COLUMNS as TARIFF_COLUMNS
from appliance.domain.ledger import FIRST_WALLET, OVER_SHORT, OVERRUN, REVENUE, TAX, drawer_account
from appliance.domain.pricing.reckoning import bill_of
from appliance.domain.session import bill_for
from appliance.domain.tariff import Tariff, Usage

QUERIES = {
    "the limit of the wallet of person {0} is not that of their group": """
SELECT person.id FROM person JOIN account ON account.id = wallet_id JOIN person_group ON person_group.id = group_id
WHERE floor_minor IS DISTINCT FROM CASE policy WHEN 'prepaid' THEN -emergency_minor WHEN 'postpaid' THEN -limit_minor END
""",
    "account {0} of the site has a limit": f"SELECT id FROM account WHERE id < {FIRST_WALLET} AND floor_minor IS NOT NULL",
    "the wallet {0} is nobody's": f"""
SELECT id FROM account WHERE id >= {FIRST_WALLET} AND id NOT IN (SELECT wallet_id FROM person)
""",
    "session {0} was paid from the wallet {1}, which is not its person's": """
SELECT session.id, session.wallet_id FROM session JOIN person ON person.id = coalesce(session.pool_id, session.person_id)
WHERE session.wallet_id IS NOT NULL AND session.wallet_id <> person.wallet_id
""",
    "session {0} was paid by {1}, which is no pool": """
SELECT session.id, session.pool_id FROM session JOIN person ON person.id = session.pool_id WHERE person.is_pool = 0
""",
    "person {0} is in the pool {1}, and nothing on record says so": """
SELECT person.id, person.pool_id FROM person WHERE pool_id IS NOT NULL AND (
  SELECT action FROM audit WHERE subject = 'person:' || person.id AND action IN ('pool.join', 'pool.leave')
  ORDER BY seq DESC LIMIT 1) IS DISTINCT FROM 'pool.join'
""",
    "session {0} costs other than its net and its tax": "SELECT id FROM session WHERE fee_minor <> net_minor + tax_minor",
    "session {0} costs {1}, but {2} was taken for it": f"""
WITH paid AS (
  SELECT reference,
    sum(CASE WHEN op IN ('post', 'capture') AND credit = {REVENUE} AND code IN ('charge', 'overrun', 'correction') THEN amount_minor
        WHEN op = 'post' AND debit = {REVENUE} AND code = 'correction' THEN -amount_minor
        WHEN op = 'post' AND debit = {REVENUE} AND credit = {OVERRUN} THEN -amount_minor ELSE 0 END) AS fee_minor
  FROM transfer WHERE debit = {REVENUE} OR credit = {REVENUE} GROUP BY reference)
SELECT session.id, session.fee_minor, coalesce(paid.fee_minor, 0)
FROM session LEFT JOIN paid ON paid.reference = CAST(session.id AS TEXT)
WHERE session.state IN ('ended', 'review', 'failed') AND session.wallet_id IS NOT NULL
  AND session.fee_minor <> coalesce(paid.fee_minor, 0)
""",
    "the tax of session {0} is {1}, but {2} was booked": f"""
WITH paid AS (
  SELECT reference, sum(CASE WHEN credit = {TAX} THEN amount_minor ELSE -amount_minor END) AS tax_minor
  FROM transfer WHERE code = 'tax' AND op = 'post' GROUP BY reference)
SELECT session.id, session.tax_minor, coalesce(paid.tax_minor, 0)
FROM session LEFT JOIN paid ON paid.reference = CAST(session.id AS TEXT)
WHERE session.state IN ('ended', 'review', 'failed') AND session.wallet_id IS NOT NULL
  AND session.tax_minor <> coalesce(paid.tax_minor, 0)
""",
    "for session {0} {1} is held in {2} slices by its row, {3} in {4} by the ledger": """
WITH held AS (
  SELECT reference, sum(amount_minor) AS minor, count(*) AS slices FROM transfer WHERE op = 'hold' AND code = 'charge' GROUP BY reference)
SELECT session.id, held_minor, session.slices, coalesce(held.minor, 0), coalesce(held.slices, 0)
FROM session LEFT JOIN held ON held.reference = CAST(session.id AS TEXT)
WHERE state <> 'failed' AND (held_minor <> coalesce(held.minor, 0) OR session.slices <> coalesce(held.slices, 0))
""",
    "money was taken for session {0}, which there is not": """
SELECT reference FROM transfer WHERE op = 'capture' AND code = 'charge'
  AND NOT EXISTS (SELECT 1 FROM session WHERE session.id = CAST(transfer.reference AS BIGINT))
""",
    "the transfer {0} is of another wallet than its session": """
SELECT transfer.seq FROM transfer JOIN session ON session.id = CAST(transfer.reference AS BIGINT)
WHERE op IN ('hold', 'capture', 'void') AND transfer.debit IS DISTINCT FROM session.wallet_id
""",
    "the days of session {0} are not what it was": """
SELECT session.id FROM session LEFT JOIN (
  SELECT session_id, sum(energy_wh) AS energy_wh, sum(fee_minor) AS fee_minor, sum(first_day) AS firsts
  FROM session_day GROUP BY session_id) AS days ON days.session_id = session.id
WHERE state IN ('ended', 'review') AND (coalesce(days.energy_wh, 0) <> session.energy_wh OR coalesce(days.fee_minor, 0) <> session.fee_minor
  OR coalesce(days.firsts, 0) <> 1)
""",
    "session {0} was in doubt, and was billed for {1} Wh, which nobody could choose": """
SELECT session.id, energy_wh FROM session WHERE state IN ('ended', 'review') AND energy_wh > 0
  AND EXISTS (SELECT 1 FROM session_figure WHERE session_id = session.id)
  AND NOT EXISTS (SELECT 1 FROM session_figure WHERE session_id = session.id AND energy_wh = session.energy_wh)
""",
    "the transfer {0} takes more than was held, or is no hold's": """
SELECT transfer.seq FROM transfer LEFT JOIN transfer AS held ON held.key = transfer.hold
WHERE transfer.hold IS NOT NULL AND (held.op IS DISTINCT FROM 'hold' OR held.debit <> transfer.debit
  OR held.credit <> transfer.credit OR transfer.amount_minor > held.amount_minor
  OR (transfer.op = 'void' AND transfer.amount_minor <> 0))
""",
    "the time of transfer {0} is before that of the one before it": """
SELECT later.seq FROM transfer AS later JOIN transfer AS earlier ON earlier.seq = later.seq - 1 WHERE later.at_ms < earlier.at_ms
""",
    "the money that person {0} paid in and got back is {2} by their receipts, {1} by the ledger": """
WITH moved AS (
  SELECT wallet, sum(minor) AS minor FROM (
    SELECT credit AS wallet, amount_minor AS minor FROM transfer WHERE code = 'topup'
    UNION ALL SELECT debit, -amount_minor FROM transfer WHERE code = 'refund'
    UNION ALL SELECT credit, amount_minor FROM transfer WHERE key LIKE 'undo|%' AND code = 'correction'
    UNION ALL SELECT debit, -amount_minor FROM transfer WHERE key LIKE 'undo|%' AND code = 'correction') AS one
  GROUP BY wallet),
said AS (SELECT person_id, sum(amount_minor - deposit_minor) AS minor FROM receipt GROUP BY person_id)
SELECT person.id, coalesce(moved.minor, 0), coalesce(said.minor, 0)
FROM person LEFT JOIN moved ON moved.wallet = wallet_id LEFT JOIN said ON said.person_id = person.id
WHERE coalesce(moved.minor, 0) <> coalesce(said.minor, 0)
""",
    "the deposit of card {0} is {2} by the receipts, {1} by the card": """
SELECT card.id, card.deposit_minor, coalesce(said.minor, 0) FROM card LEFT JOIN (
  SELECT card_id, sum(deposit_minor) AS minor FROM receipt GROUP BY card_id) AS said ON said.card_id = card.id
WHERE card.replaced_by IS NULL AND card.deposit_minor > 0 AND card.deposit_minor > coalesce(said.minor, 0)
  AND NOT EXISTS (SELECT 1 FROM card AS old WHERE old.replaced_by = card.id)
""",
    "receipt {0} is missing": """
SELECT receipt.number - 1 FROM receipt LEFT JOIN receipt AS before ON before.number = receipt.number - 1
WHERE before.number IS NULL AND receipt.number % 1000000 <> 1
""",
    "bill {0} is missing": """
SELECT bill.number - 1 FROM bill LEFT JOIN bill AS before ON before.number = bill.number - 1
WHERE before.number IS NULL AND bill.number % 1000000 <> 1
""",
    "session {0} costs {1}, but by its bills it is {2}": """
SELECT session.id, fee_minor, said.total_minor FROM session JOIN (
  SELECT session_id, sum(net_minor) AS net_minor, sum(tax_minor) AS tax_minor, sum(total_minor) AS total_minor
  FROM bill GROUP BY session_id) AS said ON said.session_id = session.id
WHERE session.net_minor <> said.net_minor OR session.tax_minor <> said.tax_minor
""",
    "statement {0} is missing": """
SELECT statement.number - 1 FROM statement LEFT JOIN statement AS before ON before.number = statement.number - 1
WHERE before.number IS NULL AND statement.number % 1000000 <> 1
""",
    "the balance changed by {2} in the month of statement {0}, which says {1}": """
SELECT * FROM (SELECT number, after_minor - before_minor AS said_minor,
    (SELECT coalesce(sum(amount_minor), 0) FROM transfer WHERE credit = wallet_id AND op = 'post' AND seq > after_seq AND seq <= until_seq)
    - (SELECT coalesce(sum(amount_minor), 0) FROM transfer
       WHERE debit = wallet_id AND op IN ('post', 'capture') AND seq > after_seq AND seq <= until_seq) AS moved_minor
  FROM statement) AS told WHERE said_minor <> moved_minor
""",
    "in the drawer of shift {0} had to be {1}, but by its movements it was {2}": """
SELECT shift.id, expected_minor, float_minor + coalesce(sum(CASE WHEN debit = account_id THEN amount_minor ELSE -amount_minor END), 0)
FROM shift LEFT JOIN transfer ON (debit = account_id OR credit = account_id) AND op = 'post' AND seq > opened_seq AND seq <= closed_seq
WHERE closed_at_ms IS NOT NULL GROUP BY shift.id, expected_minor, float_minor
HAVING expected_minor <> float_minor + coalesce(sum(CASE WHEN debit = account_id THEN amount_minor ELSE -amount_minor END), 0)
""",
    "shift {0} was over by {1} (below zero: short), but {2} was booked": f"""
SELECT shift.id, counted_minor - expected_minor, coalesce(CASE WHEN credit = {OVER_SHORT} THEN amount_minor ELSE -amount_minor END, 0)
FROM shift LEFT JOIN transfer ON key = 'count|' || shift.id
WHERE closed_at_ms IS NOT NULL
  AND counted_minor - expected_minor <> coalesce(CASE WHEN credit = {OVER_SHORT} THEN amount_minor ELSE -amount_minor END, 0)
""",
    "of the {1} that were counted at the end of shift {0} only {2} went to the safe or to the next shift": """
SELECT shift.id, shift.counted_minor, coalesce(amount_minor, 0) + coalesce(following.float_minor, 0)
FROM shift LEFT JOIN transfer ON key = 'safe|' || shift.id LEFT JOIN shift AS following ON following.taken_over = shift.id
WHERE shift.closed_at_ms IS NOT NULL AND shift.counted_minor <> coalesce(amount_minor, 0) + coalesce(following.float_minor, 0)
""",
    "the float of shift {0} is {1}, but {2} was brought": """
SELECT shift.id, float_minor, coalesce(amount_minor, 0) FROM shift LEFT JOIN transfer
  ON seq = opened_seq AND code = 'float' AND debit = account_id
WHERE taken_over IS NULL AND float_minor <> coalesce(amount_minor, 0)
""",
    "drawer account {0} holds {1}, and nobody has a shift there": f"""
SELECT id, debit_posted - credit_posted FROM account WHERE id >= {drawer_account(1)} AND id < {FIRST_WALLET}
  AND debit_posted <> credit_posted AND NOT EXISTS (SELECT 1 FROM shift WHERE account_id = account.id AND closed_at_ms IS NULL)
""",
    "Z report {0} is missing": """
SELECT shift.z_number - 1 FROM shift LEFT JOIN shift AS before ON before.z_number = shift.z_number - 1
WHERE shift.z_number IS NOT NULL AND before.id IS NULL AND shift.z_number % 1000000 <> 1
""",
    "shift {0} is missing": """
SELECT shift.id - 1 FROM shift LEFT JOIN shift AS before ON before.id = shift.id - 1 WHERE before.id IS NULL AND shift.id > 1
""",
    "nobody added the operator {0}": """
SELECT id FROM operator WHERE NOT EXISTS (
  SELECT 1 FROM audit WHERE action = 'operator.add' AND subject = 'operator:' || operator.id)
""",
    "the operator {0} was disabled, and may log in": """
SELECT operator.id FROM operator JOIN (
  SELECT subject, max(CASE WHEN action = 'operator.disable' THEN seq ELSE 0 END) AS disabled,
    max(CASE WHEN action = 'operator.enable' THEN seq ELSE 0 END) AS enabled
  FROM audit WHERE action IN ('operator.disable', 'operator.enable') GROUP BY subject) AS told
  ON told.subject = 'operator:' || operator.id
WHERE disabled > enabled AND disabled_at_ms IS NULL
""",
    "the API token {0} was revoked, and opens": """
SELECT id FROM api_token WHERE revoked_at_ms IS NULL AND EXISTS (
  SELECT 1 FROM audit WHERE action = 'token.revoke' AND subject = 'token:' || api_token.id)
""",
    "the tariff {0} is the default, and nobody made it so": """
SELECT id FROM tariff WHERE is_default = 1 AND NOT EXISTS (
  SELECT 1 FROM audit WHERE subject = 'tariff:' || tariff.id
    AND seq = (SELECT max(seq) FROM audit WHERE action = 'tariff.default'))
  AND NOT EXISTS (SELECT 1 FROM audit WHERE action = 'tariff.change' AND subject = 'tariff:' || tariff.id)
""",
    "nobody has logged in as operator {1} with the log-in {0}": """
SELECT log_in.id, operator_id FROM operator_session AS log_in WHERE (
    SELECT count(*) FROM operator_session AS same WHERE same.operator_id = log_in.operator_id AND same.began_at_ms = log_in.began_at_ms)
  > (SELECT count(*) FROM audit WHERE action = 'operator.log_in' AND subject = 'operator:' || operator_id AND at_ms = began_at_ms)
""",
    "a code for the set-up page holds, though there are operators": """
SELECT 1 FROM setting WHERE name LIKE 'setup.%' AND EXISTS (SELECT 1 FROM operator)
""",
    "problem {0} is missing": """
SELECT problem.id - 1 FROM problem LEFT JOIN problem AS before ON before.id = problem.id - 1 WHERE before.id IS NULL AND problem.id > 1
""",
    "session {0} was at another charger than its days say": """
SELECT session.id FROM session JOIN session_day ON session_day.session_id = session.id WHERE session.station_id <> session_day.station_id
""",
    "nobody made the API token {0}": """
SELECT id FROM api_token WHERE NOT EXISTS (
  SELECT 1 FROM audit WHERE action = 'token.create' AND subject = 'token:' || api_token.id)
""",
}
"""What is said, with the row's columns filled in: a query of which every row is wrong."""

ON_RECORD = {
    "topup": "person.topup",
    "refund": "person.refund",
    "correction": "person.correct",
    "merge": "person.merge",
    "pool": "pool.join",
    "pay_in": "shift.pay_in",
    "pay_out": "shift.pay_out",
    "voucher_sale": "voucher.sell",
    "voucher_refund": "voucher.refund",
    "voucher_write_off": "voucher.write_off",
}
"""Money that staff move, and how it stands in the audit list."""
PRICED = f"""
SELECT session.id, energy_wh, duration_s, idle_s, net_minor, tax_minor, {", ".join(f"tariff.{name.strip()}" for name in TARIFF_COLUMNS.split(","))}
FROM session JOIN tariff ON tariff.id = session.tariff_id WHERE state = 'ended' AND tariff.terms IS NULL
"""
PRICED_BY_LINES = """
SELECT session.id, energy_wh, net_minor, tax_minor, tariff.terms
FROM session JOIN tariff ON tariff.id = session.tariff_id WHERE state = 'ended' AND tariff.terms IS NOT NULL
"""
READINGS = f"""
SELECT session_id, sampled_at_ms, sample.energy_wh, power_w, current_ma, voltage_mv, soc_percent, others, interval_wh, content
FROM session JOIN sample ON session_id = session.id WHERE {IS_OPEN}
"""


def wrong_figures(db: Readable) -> list[str]:
    """One sentence for each kind of figure that is wrong; [] when all is well."""
    wrong = []
    for sentence, query in QUERIES.items():
        row = db.execute(f"SELECT * FROM ({query}) AS wrong LIMIT 1").fetchone()
        if row is not None:
            wrong.append(sentence.format(*row))
    return [
        *wrong,
        *_wrong_prices(db),
        *_wrong_lines(db),
        *_money_without_record(db),
        *_missing_sessions(db),
        *_other_approvals(db),
        *_other_shifts(db),
        *_other_readings(db),
        *vouchers.wrong_vouchers(db),
    ]


def accepted(db: Readable) -> set[str]:
    """What somebody has looked at and taken as it is (`forecourt verify --accept`). A broken chain cannot be."""
    return {
        sentence
        for (details,) in db.execute("SELECT details FROM audit WHERE action = 'site.accept_books'")
        for sentence in orjson.loads(details)["wrong"]
    }


def _wrong_prices(db: Readable) -> Iterator[str]:
    let_go = {subject for (subject,) in db.execute("SELECT subject FROM audit WHERE action = 'session.acknowledge'")}
    for session, energy_wh, duration_s, idle_s, net_minor, tax_minor, *tariff in db.execute(PRICED):
        bill = bill_for(Usage(energy_wh, duration_s, idle_s), Tariff(*tariff))
        if net_minor == 0 and f"session:{session}" in let_go:
            continue  # Somebody looked at it, and billed nothing.
        if (bill.net_minor, bill.tax_minor) != (net_minor, tax_minor):
            yield f"session {session} costs {net_minor} and tax {tax_minor}; by its tariff it is {bill.net_minor} and {bill.tax_minor}"
            return


def _wrong_lines(db: Readable) -> Iterator[str]:
    """The same of tariffs with lines: from the quantities that each line had."""
    for session, energy_wh, net_minor, tax_minor, text in db.execute(PRICED_BY_LINES).fetchall():
        terms, charged = from_text(text), lines.of_session(db, session)
        sums = {one.line: {one.quantity[1]: one.quantity[0]} for one in charged if one.line is not None}
        bill = bill_of(sums, terms, with_energy=energy_wh > 0)
        if (net_minor, charged) == (0, []):
            continue  # No energy, nobody paid, or somebody looked at it and billed nothing.
        if (bill.net_minor, bill.tax_minor, list(bill.lines)) != (net_minor, tax_minor, charged):
            yield f"session {session} costs {net_minor} and tax {tax_minor}; by its lines it is {bill.net_minor} and {bill.tax_minor}"
            return


def _money_without_record(db: Readable) -> Iterator[str]:
    """Whoever moves money by hand stands in the audit list, too."""
    moved = Counter(
        (code, actor, amount)
        for code, actor, amount in db.execute(
            """SELECT code, actor, amount_minor FROM transfer
            WHERE code IN ('topup', 'refund', 'merge', 'pool', 'pay_in', 'pay_out', 'voucher_sale', 'voucher_refund', 'voucher_write_off')
            OR (code = 'correction' AND key LIKE 'correction|%')"""
        )
    )
    codes = {action: code for code, action in ON_RECORD.items()}
    told: Counter[tuple[str, str, int]] = Counter()
    for action, code in codes.items():
        for actor, details in db.execute("SELECT actor, details FROM audit WHERE action = ?", (action,)):
            if amount := orjson.loads(details).get("amount_minor", 0):
                told[code, actor, abs(amount)] += 1
    for (code, actor, amount), times in sorted(((moved - told) + (told - moved)).items())[:1]:
        yield f"{times} of {code} of {amount} by {actor} stands in the ledger or in the audit list only"


def _missing_sessions(db: Readable) -> Iterator[str]:
    """Their numbers have no gaps, but for what a restore leaves out and what was found to be another one."""
    gone = {
        orjson.loads(details)["gone"]
        for (details,) in db.execute("SELECT details FROM audit WHERE action = 'session.join'")
    }
    for (number,) in db.execute(
        """SELECT session.id - 1 FROM session LEFT JOIN session AS before ON before.id = session.id - 1
        WHERE before.id IS NULL AND session.id > 1 AND session.note <> 'restored' ORDER BY session.id"""
    ):
        if number not in gone:
            yield f"session {number} is missing"
            return


def _other_approvals(db: Readable) -> Iterator[str]:
    """Each is as it was asked for, and was decided as the audit list says."""
    asked, decided = {}, {}
    for action, subject, actor, at_ms, details in db.execute(
        """SELECT action, subject, actor, at_ms, details FROM audit
        WHERE action IN ('approval.ask', 'approval.approve', 'approval.refuse') ORDER BY seq"""
    ):
        found = orjson.loads(details)
        if action == "approval.ask":
            asked[found["approval"]] = (subject, found["kind"], found["amount_minor"], actor, at_ms)
        else:
            decided[found["approval"]] = (action, actor, at_ms)
    for number, person, kind, amount_minor, asked_by, asked_at_ms, state, decided_by, decided_at_ms in db.execute(
        "SELECT id, person_id, kind, amount_minor, asked_by, asked_at_ms, state, decided_by, decided_at_ms FROM approval ORDER BY id"
    ):
        if asked.get(number) != (f"person:{person}", kind, amount_minor, asked_by, asked_at_ms):
            yield f"approval {number} is other than it was asked for"
            return
        # What expires by the clock is not on record.
        by_clock = ("", decided_by, decided_at_ms) if state == "expired" else ("", "", None)
        action, actor, at_ms = decided.get(number, by_clock)
        refused = "withdrawn" if actor == asked_by else "refused"
        fits = {"approval.approve": {"approved"}, "approval.refuse": {refused}}.get(action, {"pending", "expired"})
        if state not in fits or (decided_by, decided_at_ms) != (actor, at_ms):
            yield f"approval {number} is {state}, and by the audit list it is not"
            return


def _other_shifts(db: Readable) -> Iterator[str]:
    """Each began and ended as the audit list says, and all that began there are there."""
    begun, ended = {}, {}
    for action, subject, details in db.execute(
        "SELECT action, subject, details FROM audit WHERE action IN ('shift.open', 'shift.hand_over', 'shift.close')"
    ):
        number, found = int(subject.partition(":")[2]), orjson.loads(details)
        if action == "shift.close":
            ended[number] = (found["amount_minor"], found["difference_minor"], found["z"])
        else:
            begun[number] = (found["drawer"], found["amount_minor"])
    for number, drawer, float_minor, counted_minor, over_minor, z_number in db.execute(
        "SELECT id, drawer, float_minor, counted_minor, counted_minor - expected_minor, z_number FROM shift ORDER BY id"
    ):
        end = None if z_number is None else (counted_minor, over_minor, z_number)
        if begun.pop(number, None) != (drawer, float_minor) or ended.get(number) != end:
            yield f"shift {number} did not begin, or not end, as the audit list says"
            return
    for number in begun:
        yield f"shift {number} began, and is gone"
        return


def _other_readings(db: Readable) -> Iterator[str]:
    """Those of what runs are as they were told: each has its sum. Of what is over they are sealed (history.py)."""
    for session, *values, content in db.execute(READINGS).fetchall():
        # An older release had no readings of intervals.
        if content not in (checksum((session, *values)), checksum((session, *values[:-1]))):
            yield f"a reading of session {session}, which runs, was changed"
            return
