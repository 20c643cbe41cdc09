"""What becomes of the books when a backup takes their place: what was ended since stays ended, and what could be used twice waits.

What was made narrower since stays so: roles, passwords, chargers that were retired or secured, people who have left, taps that were counted.
A card that was given to somebody else, wiped, paid out or limited since the backup, or whose holder pays otherwise, is blocked until somebody
has looked at it: the backup knows nothing of that, and its wallet may hold money that is gone. What waited for a second person waits no more,
and a voucher that was used since is held until somebody has looked.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from appliance.db import operators, restoring
from appliance.db.engine.unit import Database
from appliance.db.restoring import RESTORED, Charger, Replaced
from appliance.db.sessions import sessions
from appliance.db.vouchers import papers
from appliance.domain.by import By
from appliance.domain.identifiers import StationId
from appliance.domain.problem import ProblemKind
from appliance.domain.roles import Role
from appliance.domain.session import SessionEvent, after
from appliance.domain.station import StationState
from appliance.domain.voucher import OVER, VoucherState
from appliance.services import audit, problems
from appliance.services.approvals import approvals
from appliance.services.stations import admission
from appliance.services.vouchers import vouchers

BREADTH = {Role.OWNER: 0, Role.MANAGER: 1, Role.CASHIER: 2, Role.GUARD: 2, Role.INSTALLER: 2, Role.VIEWER: 3}
"""How little a role may do; those alike may do different things."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done besides, for whoever restores and for the staff."""

    log_ins: int
    operators: int
    """Disabled."""
    roles: int
    """Operators who keep the narrower role of since."""
    passwords: int
    """Operators who keep the password of since."""
    stations_retired: int
    stations_secured: int
    """Chargers that keep the password of since, or the device that they were bound to."""
    people_closed: int
    approvals: int
    """What waited for a second person, and waits no more."""
    tokens: int
    cards: int
    """Blocked as they were in the books that were replaced."""
    waiting: int
    """Cards that wait for somebody to look."""
    receipts_from: int
    receipts_lost: int
    """Printed since the backup: money moved of which these books know nothing."""
    vouchers: int
    """Used, sold or voided since the backup: they wait for somebody to look."""
    known: bool
    """Whether the books that were replaced could be read."""


def restored(db: Database, now_ms: int, *, by: By, replaced: Replaced | None) -> Restored:
    """These books are a backup's, and take the place of `replaced` (None: there were none, or they cannot be read).

    Chargers may still hold transactions from since, whose numbers must not become those of other sessions, and people receipts.
    """
    known = replaced
    beyond = known.newest_session if known is not None else 0
    sessions.skip_numbers(db, beyond, after(None, SessionEvent.RENUMBERED), now_ms)
    operators.forget_setup_code(db)
    receipt_before = restoring.newest_receipt(db)
    receipts_from = restoring.begin_series(db, beyond=max(known.newest_receipt, known.receipts_from) if known else 0)
    restoring.begin_batches(db, beyond=known.newest_batch if known is not None else 0)
    restoring.begin_papers(db, beyond=known.newest_papers if known is not None else {})
    restoring.forget_sheets(db)
    if known:
        restoring.count_taps(db, known.taps)
    waiting = used_since(db, known, receipt_before, now_ms) if known else []
    retired, secured = carry_over_stations(db, known, by) if known else (0, 0)
    roles, changed_passwords = carry_over_staff(db, known) if known else (0, 0)
    found = Restored(
        log_ins=restoring.end_all_log_ins(db, now_ms),
        operators=restoring.disable_operators(db, known.disabled, now_ms) if known else 0,
        roles=roles,
        passwords=changed_passwords,
        stations_retired=retired,
        stations_secured=secured,
        people_closed=restoring.close_people(db, known.closed, now_ms) if known else 0,
        approvals=approvals.expire_all(db, now_ms),
        tokens=restoring.revoke_tokens(db, known.revoked, now_ms) if known else 0,
        cards=restoring.block_cards(db, list(known.blocked)) if known else 0,
        waiting=restoring.block_cards(db, waiting),
        receipts_from=receipts_from,
        receipts_lost=sum(number > receipt_before for number, _, _ in known.receipts) if known else 0,
        vouchers=hold_vouchers(db, known, by) if known else 0,
        known=known is not None,
    )
    audit.record(db, by, "site.restore", "site", **asdict(found))
    problems.raise_problem(db, ProblemKind.RESTORED, "site", now_ms, **asdict(found))
    return found


def used_since(db: Database, replaced: Replaced, receipt_before: int, now_ms: int) -> list[tuple[str, int, str]]:
    """Cards that became somebody else's or nobody's since the backup, that may something else, or whose holder pays otherwise, and those
    of people who were paid out.
    """
    now = restoring.cards(db)
    paid_out = {
        person for number, person, amount_minor in replaced.receipts if number > receipt_before and amount_minor < 0
    }
    return [
        (uid, now_ms, RESTORED)
        for uid, later in replaced.cards.items()
        if uid in now and (later != now[uid] or now[uid][0] in paid_out)
    ]


def hold_vouchers(db: Database, replaced: Replaced, by: By) -> int:
    """Vouchers of which something became since the backup can be neither sold nor redeemed before somebody has looked; how many.

    Whose money it was is not in these books: what they say of the voucher may be what is right to do again.
    """
    used = [
        paper
        for paper in papers(db)
        if paper.state not in OVER
        and replaced.vouchers.get(paper.code_hash, paper.state) not in (paper.state, VoucherState.EXPIRED)
    ]
    vouchers.hold(db, used, by)
    return len(used)


def carry_over_staff(db: Database, replaced: Replaced) -> tuple[int, int]:
    """Roles that were made narrower since, and passwords that were changed; how many of each.

    A wider role is the backup's to give, unless nobody were left who owns the site.
    """
    later = {one.login: one for one in replaced.operators}
    before = [one for one in restoring.staff(db) if one.login in later]
    narrowed = [one for one in before if is_narrower(later[one.login].role, one.role)]
    changed = [one for one in before if later[one.login].password_hash != one.password_hash]
    for one in narrowed:
        restoring.set_role(db, one.login, later[one.login].role)
    for one in changed:
        restoring.set_password_hash(db, one.login, later[one.login].password_hash)
    if not any(one.role is Role.OWNER and not one.disabled for one in restoring.staff(db)):
        for one in before:
            if later[one.login].role is Role.OWNER:
                restoring.set_role(db, one.login, Role.OWNER)
    return len(narrowed), len(changed)


def carry_over_stations(db: Database, replaced: Replaced, by: By) -> tuple[int, int]:
    """Chargers that were retired or sent away since, and those whose password or device is another; how many of each."""
    later = {one.identity: one for one in replaced.stations}
    retired = secured = 0
    for one in restoring.chargers(db):
        since = later.get(one.identity)
        if since is None or one.state != StationState.APPROVED:
            continue
        if since.state != StationState.APPROVED:
            admission.retire(db, StationId(one.id), by)
            retired += 1
        elif restoring.site_secret(db) == replaced.secret and is_safer(since, one):
            restoring.set_proof(db, one.id, since)
            secured += 1
    return retired, secured


def is_narrower(role: Role, than: Role) -> bool:
    """Whether it lets somebody do other things, and not all of those."""
    return role is not than and BREADTH[role] >= BREADTH[than]


def is_safer(since: Charger, before: Charger) -> bool:
    """Whether a charger has come to prove more than it did, or proves it by something else."""
    return (since.proof, since.bound_to) != (before.proof, before.bound_to) and since.proof[0] >= before.proof[0]
