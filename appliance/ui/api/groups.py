"""Groups: who pays how."""

from __future__ import annotations

from dataclasses import replace

from appliance.db.engine.unit import Database
from appliance.db.people import groups as group_rows
from appliance.db.people.groups import Group
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.identifiers import GroupId
from appliance.services.people import groups
from appliance.services.people.groups import Thresholds
from appliance.services.texts import TITLE_CHARS_MAX
from appliance.services.wallets.wallets import AMOUNT_MINOR_MAX
from appliance.ui.api.operations import PAGING, Answer, Body, Call, Operation, listed
from appliance.ui.api.shapes import (
    CURRENCY,
    amount,
    choice,
    form,
    money,
    number_of,
    or_null,
    record,
    text,
    whole,
    words,
)

NAME = text(TITLE_CHARS_MAX, least=1)
POLICY = choice(*Policy, description="How its people pay.")
LIMIT = or_null(amount(AMOUNT_MINOR_MAX, "How much a post-paid person may owe; null: any amount.", least=0))
TARIFF = or_null(number_of("the group's tariff; null: the default"))
GROUP = record(
    "Group",
    id=whole(),
    name=words(),
    policy=words(),
    limit_minor=or_null(money("How much a post-paid person may owe; null: any amount.")),
    currency=CURRENCY,
    tariff_id=or_null(whole("null: the default tariff.")),
    people=whole("How many."),
    minimum_minor=or_null(money("With how much a session may begin; null: as the site's setting.")),
    emergency_minor=money("How far below nothing whoever pays beforehand may go, once until it is paid in again."),
    low_minor=or_null(
        money("Below what they are on the list of those to call; null: as the site's setting, 0: never.")
    ),
)
THRESHOLDS = {
    "minimum_minor": or_null(
        amount(AMOUNT_MINOR_MAX, "With how much a session may begin; null: as the site's setting.")
    ),
    "emergency_minor": amount(AMOUNT_MINOR_MAX, "How far below nothing whoever pays beforehand may go.", least=0),
    "low_minor": or_null(
        amount(AMOUNT_MINOR_MAX, "Below what they are called; null: as the site's setting, 0: never.", least=0)
    ),
}
NEW_GROUP = form(
    "NewGroup", ("name", "policy"), name=NAME, policy=POLICY, limit_minor=LIMIT, tariff_id=TARIFF, **THRESHOLDS
)
GROUP_CHANGE = form("GroupChange", name=NAME, policy=POLICY, limit_minor=LIMIT, tariff_id=TARIFF, **THRESHOLDS)


async def list_groups(call: Call) -> Answer:
    """`GET /groups`."""
    rows = sorted(await call.console.store.read(group_rows.all_by_name), key=lambda group: group.id)
    rows = [group for group in rows if group.id > call.after]
    return listed(rows, call.limit, lambda row: group_as(call, row), lambda row: row.id)


async def show_group(call: Call) -> Answer:
    """`GET /groups/{id}`."""
    return Answer(group_as(call, await call.console.store.read(groups.need, GroupId(call.number()))))


async def add_group(call: Call) -> Answer:
    """`POST /groups`."""
    body = call.body
    group = await call.console.store.write(
        groups.add,
        body["name"],
        body["policy"],
        call.by,
        limit_minor=body.get("limit_minor"),
        tariff_id=body.get("tariff_id"),
        thresholds=_thresholds(body, Thresholds()),
    )
    return Answer(group_as(call, await call.console.store.read(groups.need, group)), 201)


async def change_group(call: Call) -> Answer:
    """`PATCH /groups/{id}`: what is not named stays."""
    group = GroupId(call.number())
    await call.console.store.write(_change_group, group, call.body, call.by)
    return Answer(group_as(call, await call.console.store.read(groups.need, group)))


def group_as(call: Call, group: Group) -> Body:
    """A group as JSON."""
    return {
        "id": group.id,
        "name": group.name,
        "policy": group.policy,
        "limit_minor": group.limit_minor,
        "currency": call.currency,
        "tariff_id": group.tariff_id,
        "people": group.people,
        "minimum_minor": group.minimum_minor,
        "emergency_minor": group.emergency_minor,
        "low_minor": group.low_minor,
    }


def _change_group(db: Database, group: GroupId, body: Body, by: By) -> None:
    found = groups.need(db, group)
    groups.change(
        db,
        group,
        body.get("name", found.name),
        body.get("policy", found.policy),
        by,
        limit_minor=body.get("limit_minor", found.limit_minor),
        tariff_id=body.get("tariff_id", found.tariff_id),
        thresholds=_thresholds(body, groups.thresholds_of(found)) if body.keys() & THRESHOLDS.keys() else None,
    )


def _thresholds(body: Body, before: Thresholds) -> Thresholds:
    return replace(before, **{name: body[name] for name in THRESHOLDS if name in body})


OPERATIONS = (
    Operation("GET", "/groups", "Groups", list_groups, GROUP, query=PAGING, listed=True),
    Operation("POST", "/groups", "A new group", add_group, GROUP, takes=NEW_GROUP, status=201),
    Operation("GET", "/groups/{id}", "One group", show_group, GROUP),
    Operation("PATCH", "/groups/{id}", "Change a group", change_group, GROUP, takes=GROUP_CHANGE),
)  # fmt: skip
