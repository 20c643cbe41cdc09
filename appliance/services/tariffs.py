"""Prices: adding, changing by a new version, choosing the default."""

from __future__ import annotations

from dataclasses import replace

from appliance.db import place_tariffs, tariffs
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import groups, payers
from appliance.db.tariff_terms import to_text
from appliance.db.tariffs import TariffRow
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.errors import Conflict, Invalid, NotFound, Refusal
from appliance.domain.problem import ProblemKind
from appliance.domain.tariff import TARIFF_FIELDS, Tariff
from appliance.services import audit, problems
from appliance.services.announce import SettingsChanged
from appliance.services.texts import TITLE_CHARS_MAX, required

METHODS = frozenset({Policy.PREPAID, Policy.POSTPAID})
"""Ways of paying that lines can ask for: how the group of a session pays, if it does."""


def add(db: Database, tariff: Tariff, by: By, valid_from_ms: int | None = None) -> int:
    """A new tariff; the first one that holds becomes the default. `tariff.id` is not used."""
    checked = check(tariff)
    _check_groups(db, checked)
    number = tariffs.add(db, checked, by.at_ms, valid_from_ms=valid_from_ms)
    if tariffs.default(db) is None and (valid_from_ms or 0) <= by.at_ms:
        make_default(db, number, by)
    audit.record(db, by, "tariff.create", f"tariff:{number}", name=checked.name)
    db.announce(SettingsChanged())
    return number


def change(db: Database, tariff_id: int, tariff: Tariff, by: By, valid_from_ms: int | None = None) -> int:
    """Other prices, from now on or from a moment to come: a new row takes the old one's place, running sessions keep theirs. The
    new number.

    One that still waits makes room for the new one, which takes its turn: at its moment, if no other is given.

    Raises:
        Conflict: Another version waits for the same moment.
    """
    found = need(db, tariff_id)
    tariff = check(tariff)
    if found.waits(by.at_ms):
        archive(db, tariff_id, by)
        valid_from_ms = found.valid_from_ms if valid_from_ms is None else valid_from_ms
        if found.follows_id is None:
            return add(db, tariff, by, valid_from_ms)
        found = need(db, found.follows_id)
    _check_groups(db, tariff)
    _check_moment(db, found, valid_from_ms)
    number = tariffs.add(db, tariff, by.at_ms, valid_from_ms=valid_from_ms, follows_id=found.tariff.id)
    if (valid_from_ms or 0) > by.at_ms:
        audit.record(db, by, "tariff.create", f"tariff:{number}", name=tariff.name, before=found.tariff.id)
        db.announce(SettingsChanged())
    else:
        take_place(db, found, tariff, number, by)
    return number


def take_effect(db: Database, now_ms: int) -> None:
    """By the clock: versions whose moment has come take the place of those that they follow."""
    for row in tariffs.due(db, now_ms):
        assert row.follows_id is not None
        before = tariffs.show(db, row.follows_id)
        if before is not None and before.archived_at_ms is None:
            take_place(db, before, row.tariff, row.tariff.id, By("clock", now_ms))


def take_place(db: Database, before: TariffRow, tariff: Tariff, number: int, by: By) -> None:
    """All who paid by the one pay by the other; what waited to follow the one follows the other."""
    groups.move_to_tariff(db, before.tariff.id, number)
    place_tariffs.move(db, before.tariff.id, number)
    tariffs.archive(db, before.tariff.id, by.at_ms)
    tariffs.hand_on(db, before.tariff.id, number)
    if before.is_default:
        tariffs.make_default(db, number)
        payers.forget_tariffs(db)
    prices = {name: getattr(tariff, name) for name in TARIFF_FIELDS if name not in ("id", "terms")}
    changed = audit.changed(before.tariff, **prices)
    if tariff.terms != before.tariff.terms:
        changed["terms"] = [to_text(before.tariff.terms), to_text(tariff.terms)]
    audit.record(
        db, by, "tariff.change", f"tariff:{number}", name=tariff.name, before=before.tariff.id, changed=changed
    )
    db.announce(SettingsChanged())


def need(db: Database, tariff_id: int) -> TariffRow:
    """A tariff in use.

    Raises:
        NotFound: There is none.
    """
    found = tariffs.show(db, tariff_id)
    if found is None or found.archived_at_ms is not None:
        raise NotFound("There is no such tariff.")
    return found


def newest_version(db: Readable, tariff_id: int) -> int | None:
    """The tariff that this one has become by changes of its prices; None where it went out of use, or never was."""
    found = tariffs.show(db, tariff_id)
    while found is not None and found.archived_at_ms is not None:
        later = tariffs.successor(db, found)
        found = tariffs.show(db, later) if later is not None else None
    return None if found is None else found.tariff.id


def make_default(db: Database, tariff_id: int, by: By) -> None:
    """This one holds for all groups without their own."""
    found = need(db, tariff_id)
    if found.waits(by.at_ms):
        raise Conflict("This tariff does not hold yet.", "Wait until it does, or let it follow the one that holds.")
    tariffs.make_default(db, tariff_id)
    payers.forget_tariffs(db)
    problems.clear_problem(db, ProblemKind.NO_TARIFF, "site", by.at_ms)
    audit.record(db, by, "tariff.default", f"tariff:{tariff_id}", name=found.tariff.name)
    db.announce(SettingsChanged())


def archive(db: Database, tariff_id: int, by: By) -> None:
    """Take a tariff out of use."""
    found = need(db, tariff_id)
    if found.is_default:
        raise Refusal("This is the default tariff.", "Make another one the default first.")
    if any(group.tariff_id == tariff_id for group in groups.all_by_name(db)):
        raise Refusal("A group has this tariff.", "Give the group another tariff first.")
    if tariff_id in place_tariffs.all_of(db).values():
        raise Refusal("A charger has this tariff.", "Give the charger another tariff first, or none of its own.")
    tariffs.archive(db, tariff_id, by.at_ms)
    audit.record(db, by, "tariff.archive", f"tariff:{tariff_id}", name=found.tariff.name)
    db.announce(SettingsChanged())


def check(tariff: Tariff) -> Tariff:
    """The fields, tidied.

    Raises:
        Invalid: The name cannot be, or a line asks for what the site does not know of its sessions.
    """
    for place, line in enumerate(tariff.terms.lines if tariff.terms is not None else ()):
        field = f"lines.{place}.conditions"
        if not line.conditions.methods <= METHODS:
            raise Invalid(
                f"{field}.methods",
                "Line {line} asks for a way of paying that there is not.",
                "The ways of paying are prepaid and postpaid.",
                line=place + 1,
            )
    return replace(tariff, name=required("name", tariff.name, TITLE_CHARS_MAX))


def _check_groups(db: Readable, tariff: Tariff) -> None:
    """A line for a group that there is not would price nothing, and nobody would notice."""
    there = {int(group.id) for group in groups.all_by_name(db)}
    for place, line in enumerate(tariff.terms.lines if tariff.terms is not None else ()):
        if not line.conditions.groups <= there:
            raise Invalid(
                f"lines.{place}.conditions.groups",
                "Line {line} is for a group that there is not.",
                "Choose one of the groups of the site, or leave the condition out.",
                line=place + 1,
            )


def _check_moment(db: Readable, before: TariffRow, valid_from_ms: int | None) -> None:
    """Of two versions that begin at the same moment nobody could tell which one holds."""
    for row in tariffs.current(db):
        if row.follows_id == before.tariff.id and valid_from_ms is not None and row.valid_from_ms == valid_from_ms:
            raise Conflict(
                "Other prices wait for that moment already: nothing was stored now.",
                "Change those, or take them back first.",
            )
