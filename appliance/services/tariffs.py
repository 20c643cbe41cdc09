"""Prices: adding, changing by a new version, choosing the default."""

from __future__ import annotations

from dataclasses import asdict, replace

from appliance.db import tariffs
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import groups, payers
from appliance.domain.by import By
from appliance.domain.errors import NotFound, Refusal
from appliance.domain.problem import ProblemKind
from appliance.domain.tariff import Tariff
from appliance.services import audit, problems
from appliance.services.announce import SettingsChanged
from appliance.services.texts import TITLE_CHARS_MAX, required


def add(db: Database, tariff: Tariff, by: By) -> int:
    """A new tariff; the first one becomes the default. `tariff.id` is not used."""
    checked = check(tariff)
    number = tariffs.add(db, checked, by.at_ms)
    if tariffs.default(db) is None:
        make_default(db, number, by)
    audit.record(db, by, "tariff.create", f"tariff:{number}", name=checked.name)
    db.announce(SettingsChanged())
    return number


def change(db: Database, tariff_id: int, tariff: Tariff, by: By) -> int:
    """Other prices from now on: a new row takes the old one's place, running sessions keep theirs. The new number."""
    found = tariffs.show(db, tariff_id)
    if found is None or found.archived_at_ms is not None:
        raise NotFound("There is no such tariff.")
    number = tariffs.add(db, check(tariff), by.at_ms)
    groups.move_to_tariff(db, tariff_id, number)
    tariffs.archive(db, tariff_id, by.at_ms)
    if found.is_default:
        tariffs.make_default(db, number)
        payers.forget_tariffs(db)
    prices = {name: value for name, value in asdict(check(tariff)).items() if name != "id"}
    audit.record(
        db,
        by,
        "tariff.change",
        f"tariff:{number}",
        name=tariff.name,
        before=tariff_id,
        changed=audit.changed(found.tariff, **prices),
    )
    db.announce(SettingsChanged())
    return number


def newest_version(db: Readable, tariff_id: int) -> int | None:
    """The tariff that this one has become by changes of its prices; None where it went out of use, or never was."""
    found = tariffs.show(db, tariff_id)
    while found is not None and found.archived_at_ms is not None:
        later = tariffs.successor(db, found)
        found = tariffs.show(db, later) if later is not None else None
    return None if found is None else found.tariff.id


def make_default(db: Database, tariff_id: int, by: By) -> None:
    """This one holds for all groups without their own."""
    found = tariffs.show(db, tariff_id)
    if found is None or found.archived_at_ms is not None:
        raise NotFound("There is no such tariff.")
    tariffs.make_default(db, tariff_id)
    payers.forget_tariffs(db)
    problems.clear_problem(db, ProblemKind.NO_TARIFF, "site", by.at_ms)
    audit.record(db, by, "tariff.default", f"tariff:{tariff_id}", name=found.tariff.name)
    db.announce(SettingsChanged())


def archive(db: Database, tariff_id: int, by: By) -> None:
    """Take a tariff out of use."""
    found = tariffs.show(db, tariff_id)
    if found is None or found.archived_at_ms is not None:
        raise NotFound("There is no such tariff.")
    if found.is_default:
        raise Refusal("This is the default tariff.", "Make another one the default first.")
    if any(group.tariff_id == tariff_id for group in groups.all_by_name(db)):
        raise Refusal("A group has this tariff.", "Give the group another tariff first.")
    tariffs.archive(db, tariff_id, by.at_ms)
    audit.record(db, by, "tariff.archive", f"tariff:{tariff_id}", name=found.tariff.name)
    db.announce(SettingsChanged())


def check(tariff: Tariff) -> Tariff:
    """The fields, tidied."""
    return replace(tariff, name=required("name", tariff.name, TITLE_CHARS_MAX))
