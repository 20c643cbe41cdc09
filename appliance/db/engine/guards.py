"""What the schema itself refuses, whoever asks and with whatever tool: one list, of which each engine makes its triggers.

Conditions are in words of which an engine's renderer knows its own spelling. A new guard stands here and in the migration that
brings it; `tests/db/engine/test_guards.py` compares the list with the schema. What a transfer does to its two accounts is no
guard, but an effect, and stands in migration 0007 (`transfer_apply`, `transfer_apply_hold`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ALWAYS = ""
"""The condition of what is never right."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What must not happen to a row: looked at before it does, and refused by the first condition that holds."""

    name: str
    event: Literal["INSERT", "UPDATE", "DELETE"]
    table: str
    refusals: dict[str, str]
    """By what is said then: the condition, in SQL over the rows OLD and NEW."""


def only_grows(table: str, says: str) -> tuple[Guard, Guard]:
    """Rows that never change and never go."""
    return (
        Guard(f"{table}_no_update", "UPDATE", table, {says: ALWAYS}),
        Guard(f"{table}_no_delete", "DELETE", table, {says: ALWAYS}),
    )


GUARDS = (
    Guard("site_is_fixed", "UPDATE", "site", {
        "currency, time zone and kind of a site are fixed for good":
            """NEW.currency <> OLD.currency OR NEW.exponent <> OLD.exponent OR NEW.timezone <> OLD.timezone
            OR NEW.demo <> OLD.demo""",
    }),
    Guard("site_stays", "DELETE", "site", {"a site is never deleted": ALWAYS}),
    Guard("tariff_is_fixed", "UPDATE", "tariff", {
        "a price never changes: add a new tariff":
            """(NEW.energy_milli_per_kwh, NEW.time_milli_per_minute, NEW.idle_milli_per_minute, NEW.idle_grace_s, NEW.flat_milli,
            NEW.tax_basis_points, NEW.terms)
            IS DISTINCT FROM (OLD.energy_milli_per_kwh, OLD.time_milli_per_minute, OLD.idle_milli_per_minute, OLD.idle_grace_s,
            OLD.flat_milli, OLD.tax_basis_points, OLD.terms)""",
    }),
    *only_grows("transfer", "the ledger only grows"),
    Guard("transfer_check", "INSERT", "transfer", {
        "gap in the ledger": "NEW.seq IS DISTINCT FROM coalesce((SELECT max(seq) FROM transfer), 0) + 1",
        "hash chain broken":
            "NEW.prev_hash IS DISTINCT FROM coalesce((SELECT hash FROM transfer WHERE seq = NEW.seq - 1), zeroblob(32))",
        "time ran backwards": "NEW.at_ms < (SELECT at_ms FROM transfer WHERE seq = NEW.seq - 1)",
        "not a hold":
            """NEW.hold IS NOT NULL AND NOT EXISTS (SELECT 1 FROM transfer AS h
            WHERE h.key = NEW.hold AND h.op = 'hold' AND h.debit = NEW.debit AND h.credit = NEW.credit)""",
        "exceeds its hold":
            "NEW.op = 'capture' AND NEW.amount_minor > (SELECT amount_minor FROM transfer WHERE key = NEW.hold)",
        "a void moves nothing": "NEW.op = 'void' AND NEW.amount_minor <> 0",
    }),
    Guard("account_birth", "INSERT", "account", {
        "an account starts at zero":
            "NEW.credit_posted <> 0 OR NEW.debit_posted <> 0 OR NEW.debit_pending <> 0 OR NEW.last_seq <> 0",
    }),
    Guard("account_guard", "UPDATE", "account", {
        "immutable column": "NEW.id <> OLD.id OR NEW.kind <> OLD.kind",
        # A balance may change only by exactly the effect of the newest transfer; a floor may move.
        "a balance needs its transfer":
            """(NEW.credit_posted, NEW.debit_posted, NEW.debit_pending, NEW.last_seq)
            IS DISTINCT FROM (OLD.credit_posted, OLD.debit_posted, OLD.debit_pending, OLD.last_seq)
            AND NOT EXISTS (
              SELECT 1 FROM transfer AS t LEFT JOIN transfer AS h ON h.key = t.hold
              WHERE t.seq = NEW.last_seq AND t.seq = (SELECT max(seq) FROM transfer) AND OLD.last_seq < t.seq
                AND NEW.debit_posted - OLD.debit_posted
                  = CASE WHEN t.debit = NEW.id AND t.op IN ('post', 'capture') THEN t.amount_minor ELSE 0 END
                AND NEW.credit_posted - OLD.credit_posted
                  = CASE WHEN t.credit = NEW.id AND t.op IN ('post', 'capture') THEN t.amount_minor ELSE 0 END
                AND NEW.debit_pending - OLD.debit_pending
                  = CASE WHEN t.debit = NEW.id
                    THEN CASE t.op WHEN 'hold' THEN t.amount_minor WHEN 'post' THEN 0 ELSE -h.amount_minor END ELSE 0 END)""",
    }),
    Guard("account_no_delete", "DELETE", "account", {"accounts are never deleted": ALWAYS}),
    *only_grows("audit", "the audit list only grows"),
    Guard("audit_check", "INSERT", "audit", {
        "gap in the audit list": "NEW.seq IS DISTINCT FROM coalesce((SELECT max(seq) FROM audit), 0) + 1",
        "audit chain broken":
            "NEW.prev_hash IS DISTINCT FROM coalesce((SELECT hash FROM audit WHERE seq = NEW.seq - 1), zeroblob(32))",
    }),
    *only_grows("receipt", "receipts never change"),
    Guard("receipt_check", "INSERT", "receipt", {
        "gap in the receipts":
            """NEW.number IS DISTINCT FROM coalesce((SELECT max(number) FROM receipt), 0) + 1
            AND (NEW.number % 1000000 <> 1 OR NEW.number < coalesce((SELECT max(number) FROM receipt), 0))""",
    }),
    *only_grows("bill", "bills never change"),
    Guard("bill_check", "INSERT", "bill", {
        "gap in the bills":
            """NEW.number IS DISTINCT FROM coalesce((SELECT max(number) FROM bill), 0) + 1
            AND (NEW.number % 1000000 <> 1 OR NEW.number < coalesce((SELECT max(number) FROM bill), 0))""",
    }),
    *only_grows("statement", "statements never change"),
    Guard("statement_check", "INSERT", "statement", {
        "gap in the statements":
            """NEW.number IS DISTINCT FROM coalesce((SELECT max(number) FROM statement), 0) + 1
            AND (NEW.number % 1000000 <> 1 OR NEW.number < coalesce((SELECT max(number) FROM statement), 0))""",
    }),
    Guard("signed_value_is_fixed", "UPDATE", "signed_value", {
        "what was signed never changes": "NEW.data <> OLD.data OR NEW.digest <> OLD.digest",
    }),
    *only_grows("anchor", "anchors never change"),
    Guard("shift_begins", "INSERT", "shift", {"a shift begins open": "NEW.closed_at_ms IS NOT NULL"}),
    Guard("shift_is_closed_once", "UPDATE", "shift", {
        "a closed shift never changes": "OLD.closed_at_ms IS NOT NULL",
        "a shift is closed, and nothing else":
            """NEW.closed_at_ms IS NULL
            OR (NEW.id, NEW.drawer, NEW.account_id, NEW.actor, NEW.taken_over, NEW.opened_at_ms, NEW.opened_seq, NEW.float_minor, NEW.float_pieces)
            IS DISTINCT FROM (OLD.id, OLD.drawer, OLD.account_id, OLD.actor, OLD.taken_over, OLD.opened_at_ms, OLD.opened_seq, OLD.float_minor, OLD.float_pieces)""",
        "gap in the Z reports":
            """NEW.z_number IS DISTINCT FROM coalesce((SELECT max(z_number) FROM shift), 0) + 1
            AND (NEW.z_number % 1000000 <> 1 OR NEW.z_number < coalesce((SELECT max(z_number) FROM shift), 0))""",
    }),
    Guard("shift_no_delete", "DELETE", "shift", {"shifts are never deleted": ALWAYS}),
    *only_grows("holiday_list", "a list of holidays never changes"),
    *only_grows("voucher_batch", "a batch of vouchers never changes"),
    Guard("voucher_birth", "INSERT", "voucher", {
        "a voucher begins unsold": "NEW.state <> 'made' OR NEW.sold_at_ms IS NOT NULL OR NEW.over_at_ms IS NOT NULL",
    }),
    Guard("voucher_guard", "UPDATE", "voucher", {
        "a voucher is what was printed":
            """NEW.id <> OLD.id OR NEW.batch_id <> OLD.batch_id OR NEW.number <> OLD.number OR NEW.code_hash <> OLD.code_hash""",
        "a voucher is used once": "OLD.state IN ('redeemed', 'voided', 'written_off')",
        "a voucher that was sold stays so":
            """OLD.sold_at_ms IS NOT NULL AND (NEW.sold_at_ms IS DISTINCT FROM OLD.sold_at_ms
            OR NEW.receipt IS DISTINCT FROM OLD.receipt OR NEW.state = 'made')""",
        # The name of a transfer is its own for ever: what has one has moved its money, and can do so once.
        "a voucher needs its transfer":
            """(NEW.state IN ('sold', 'redeemed', 'written_off') OR (NEW.state = 'voided' AND OLD.sold_at_ms IS NOT NULL))
            AND NOT EXISTS (SELECT 1 FROM transfer WHERE key = 'voucher|' || NEW.id || '|' || NEW.state)""",
    }),
    Guard("voucher_no_delete", "DELETE", "voucher", {"vouchers are never deleted": ALWAYS}),
)  # fmt: skip


def in_sqlite(guard: Guard) -> str:
    """The trigger."""
    refusals = [
        f"  SELECT RAISE(ABORT, '{says}'){f' WHERE {condition}' if condition else ''};\n"
        for says, condition in guard.refusals.items()
    ]
    trigger = f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table} BEGIN\n{''.join(refusals)}END"
    return trigger.replace("IS DISTINCT FROM", "IS NOT")
