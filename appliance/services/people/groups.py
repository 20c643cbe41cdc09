"""Groups: how their members pay, and how far down their wallets may go."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from appliance.db import ledger, tariffs
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import groups
from appliance.db.people.groups import Group
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.errors import Conflict, Invalid, NotFound, Refusal
from appliance.domain.identifiers import AccountId, GroupId
from appliance.domain.ledger import AMOUNT_MINOR_MAX
from appliance.domain.tariff import is_cheaper
from appliance.services import audit
from appliance.services.announce import SettingsChanged
from appliance.services.operators.authority import NotAllowed, is_manager
from appliance.services.texts import TITLE_CHARS_MAX, required


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Amounts that decide about members who pay beforehand."""

    minimum_minor: int | None = None
    """With how much a session may begin; None: as the site's setting."""
    emergency_minor: int = 0
    """How far below nothing a wallet may go: a session may run into it, and one may begin on it, once until it is paid in again."""
    low_minor: int | None = None
    """Below what they are on the list of those to call; None: as the site's setting, 0: never."""


NO_THRESHOLDS = Thresholds()


def add(
    db: Database,
    name: str,
    policy: str,
    by: By,
    *,
    limit_minor: int | None = None,
    tariff_id: int | None = None,
    thresholds: Thresholds = NO_THRESHOLDS,
) -> GroupId:
    """A new group. `limit_minor` is how much a post-paid member may owe; None: any amount."""
    name = required("name", name, TITLE_CHARS_MAX)
    check(db, policy, limit_minor, tariff_id, by.at_ms)
    check_thresholds(policy, thresholds)
    if groups.named(db, name) is not None:
        raise Conflict("There is a group {name} already.", name=name)
    group = groups.add(db, name, policy, limit_minor, tariff_id, by.at_ms)
    groups.set_thresholds(db, group, **asdict(thresholds))
    audit.record(db, by, "group.create", f"group:{group}", name=name, policy=policy)
    db.announce(SettingsChanged())
    return group


def change(
    db: Database,
    group: GroupId,
    name: str,
    policy: str,
    by: By,
    *,
    limit_minor: int | None = None,
    tariff_id: int | None = None,
    thresholds: Thresholds | None = None,
) -> None:
    """Change a group; all wallets of its members get the new limit. `thresholds` None: as they are.

    Raises:
        Refusal: A member owes more than the new limit allows.
    """
    found = need(db, group)
    name = required("name", name, TITLE_CHARS_MAX)
    before = thresholds_of(found)
    if thresholds is None:
        thresholds = before if policy == Policy.PREPAID else replace(before, emergency_minor=0)
    check(db, policy, limit_minor, tariff_id, by.at_ms)
    check_thresholds(policy, thresholds)
    same = groups.named(db, name)
    if same is not None and same.id != group:
        raise Conflict("There is a group {name} already.", name=name)
    groups.change(db, group, name=name, policy=policy, limit_minor=limit_minor, tariff_id=tariff_id)
    groups.set_thresholds(db, group, **asdict(thresholds))
    for wallet in groups.wallets(db, group):
        move_floor(db, wallet, floor_of(policy, limit_minor, thresholds.emergency_minor))
    audit.record(
        db, by, "group.change", f"group:{group}", name=name, policy=policy, before=found.policy,
        limit_minor=limit_minor, before_limit_minor=found.limit_minor, tariff=tariff_id, before_tariff=found.tariff_id,
        changed=audit.changed(
            found, name=name, policy=policy, limit_minor=limit_minor, tariff_id=tariff_id, **asdict(thresholds)
        ),
    )  # fmt: skip
    db.announce(SettingsChanged())


def check(db: Database, policy: str, limit_minor: int | None, tariff_id: int | None, now_ms: int) -> None:
    """The fields of a group."""
    if policy not in set(Policy):
        raise Invalid("policy", "The policy is prepaid, postpaid or free.")
    if limit_minor is not None and limit_minor < 0:
        raise Invalid("limit_minor", "A limit is not below zero.")
    if tariff_id is not None:
        found = tariffs.show(db, tariff_id)
        if found is None or found.archived_at_ms is not None:
            raise Invalid("tariff_id", "There is no such tariff.")
        if found.waits(now_ms):
            raise Invalid("tariff_id", "This tariff does not hold yet.")


def check_thresholds(policy: str, thresholds: Thresholds) -> None:
    """Whether they are amounts, and of use where people pay so."""
    for name in ("minimum_minor", "emergency_minor", "low_minor"):
        value: int | None = getattr(thresholds, name)
        least = 1 if name == "minimum_minor" else 0
        if value is not None and not least <= value <= AMOUNT_MINOR_MAX:
            raise Invalid(name, "This amount is too small or too large.", "Leave it empty for none.")
    if thresholds.emergency_minor and policy != Policy.PREPAID:
        raise Invalid(
            "emergency_minor",
            "Emergency credit is for who pays beforehand.",
            "On account the limit says how much may be owed.",
        )


def thresholds_of(group: Group) -> Thresholds:
    """As they are."""
    return Thresholds(group.minimum_minor, group.emergency_minor, group.low_minor)


def check_terms(db: Readable, before: Group | None, target: Group, by: By) -> None:
    """Whether they may put a new person (`before` None), or one of another group, into this one: how people pay is a manager's.

    Raises:
        NotAllowed: The group lets people pay later, not at all, or less than everybody; or otherwise than the group before.
    """
    if may_choose(db, before, target) or is_manager(db, by.actor):
        return
    raise NotAllowed(
        "Only a manager or the owner puts somebody into the group {name}.",
        "It changes how they pay. Ask one of them.",
        name=target.name,
    )


def check_lets_charge(db: Readable, group: GroupId, by: By) -> None:
    """Whether they may let something more charge on the terms of this group: a card, a number that a charger reads, an account that was closed.

    Raises:
        NotAllowed: Its members pay later or not at all, and only a manager says who charges so.
    """
    found = need(db, group)
    if found.policy != Policy.PREPAID and not is_manager(db, by.actor):
        raise NotAllowed(
            "A manager does this: members of the group {name} pay later, or not at all.",
            "A lost card you can replace: the old one is blocked with it.",
            name=found.name,
        )


def may_choose(db: Readable, before: Group | None, target: Group) -> bool:
    """Whether a cashier may: a new person pays ahead, and no less than everybody; whoever is here goes on paying as before."""
    if before is not None:
        return terms(before) == terms(target)
    return target.policy == Policy.PREPAID and not pays_less(db, target)


def pays_less(db: Readable, group: Group) -> bool:
    """Whether its own tariff asks for less than that of everybody."""
    own, everybodys = tariffs.find(db, group.tariff_id), tariffs.default(db)
    return own is not None and everybodys is not None and is_cheaper(own, everybodys)


def terms(group: Group) -> tuple[str, int | None, int | None, int | None, int]:
    """How its members pay: policy, limit and price, with how much they may begin, and on which credit."""
    return group.policy, group.limit_minor, group.tariff_id, group.minimum_minor, group.emergency_minor


def floor_of(policy: str, limit_minor: int | None, emergency_minor: int = 0) -> int | None:
    """How far down a wallet of this policy may go."""
    if policy == Policy.PREPAID:
        return -emergency_minor
    if policy == Policy.POSTPAID and limit_minor is not None:
        return -limit_minor
    return None


def move_floor(db: Database, wallet: int, floor_minor: int | None) -> None:
    """Set a wallet's floor, if what is there allows it."""
    account = AccountId(wallet)
    now = ledger.balance(db, account)
    held = ledger.held_minor(db, account)
    if floor_minor is not None and now.balance_minor - held < floor_minor:
        raise Refusal(
            "Somebody in this group owes more than that, or has sessions running.",
            "Let them pay, or choose another group for them, first.",
        )
    ledger.set_floor(db, account, floor_minor)


def need(db: Readable, group: GroupId) -> Group:
    """The group, or NotFound."""
    found = groups.find(db, group)
    if found is None:
        raise NotFound("There is no such group.")
    return found
