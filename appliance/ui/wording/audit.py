"""The audit list in words: for each action a sentence, with the names of those and of what it speaks of.

The actions and their details come from those who record them (services/audit.py); a test compares the two lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import orjson
from markupsafe import Markup, escape

from appliance.db.audit import AuditRow, Subject
from appliance.services.settings import TEXTS
from appliance.ui.console.settings import GROUPS as SETTINGS
from appliance.ui.console.settings import in_words
from appliance.ui.frame.language import LANGUAGES, N_, _, ngettext
from appliance.ui.wording.sessions import IN_METHODS, POLICIES, note_sentence
from appliance.ui.wording.words import role_name
from appliance.ui.writing.formats import Formats

THINGS = {
    "station": N_("Chargers"),
    "session": N_("Sessions"),
    "person": N_("People"),
    "pool": N_("Pools"),
    "card": N_("Cards"),
    "shift": N_("Shifts"),
    "money": N_("Money"),
    "oldcard": N_("Old cards"),
    "desk": N_("Card desk"),
    "group": N_("Groups"),
    "tariff": N_("Tariffs"),
    "problem": N_("Problems"),
    "approval": N_("Approvals"),
    "voucher": N_("Vouchers"),
    "site": N_("The site"),
    "setting": N_("Settings"),
    "operator": N_("Staff"),
    "token": N_("API tokens"),
}
"""What actions are about: the beginning of each one's name, for the filter."""

SENTENCES = {
    "station.register": N_("Entered the charger {subject}, which calls itself {identity}"),
    "station.approve": N_("Let the charger {subject} in, which calls itself {identity}"),
    "station.bind": N_("The charger {subject} came from the device {peer}, and is bound to it"),
    "station.admit": N_("Let another device ({peer}) be {subject}; before it was {before}"),
    "station.offer_password": N_("Sent {subject} a new password"),
    "station.withdraw_password": N_("Withdrew the new password of {subject}, which it did not take"),
    "station.stop_transaction": N_("Asked {subject} to stop its transaction {transaction}"),
    "station.dismiss": N_("Turned the charger {identity} away"),
    "station.dismiss_address": N_("Turned away all chargers that knocked from {address}: {stations}"),
    "station.place": N_("Said where the charger {name} stands: {place}"),
    "station.gives": N_("{place} gives up to {power} by its charger’s word, {measured} by what was measured"),
    "setting.holidays": N_("Changed the holidays of the site"),
    "station.tariff": N_("Said which tariff holds at the charger {name}"),
    "station.power": N_("Said how much a connector of the charger {name} can give: {power}"),
    "station.rename": N_("Renamed the charger {before}: it is called {name} now"),
    "station.retire": N_("Retired the charger {subject}"),
    "station.secure": N_("Changed how {subject} proves itself: by {proof}"),
    "station.start": N_("Started {session} at {place} for {person}"),
    "station.stop": N_("Stopped {session} at {subject}"),
    "station.unlock": N_("Unlocked the plug at {place}"),
    "station.reset": N_("Restarted the charger {subject}"),
    "station.open": N_("Put {place} into service"),
    "station.close": N_("Took {place} out of service"),
    "station.clear_cache": N_("Let {subject} forget the cards it knows"),
    "station.trigger": N_("Asked {subject} for {message}"),
    "station.get_variables": N_("Read settings inside {subject}"),
    "station.set_variable": N_("Changed {name} inside {subject}"),
    "station.enrol": N_("Waited at {subject} for a new card of {person}"),
    "station.learn": N_("Waited at {subject} for the card {uid}, to learn what it is called there"),
    "station.forget_tag": N_("Took the unknown card {token} off the list of {subject}"),
    "station.raw_call": N_("Sent {subject} the raw call {call}"),
    "session.late": N_("How {subject} had begun was told when it was over"),
    "session.correct": N_(
        "Billed {subject} anew by what its charger told once it was over: {before_minor} before, {after_minor} now"
    ),
    "session.doubt": N_("The charger of {subject} told its end once more, otherwise than before"),
    "session.join": N_("{subject} was asked for, and had begun under another number"),
    "session.close": N_("Ended {subject} without its charger"),
    "session.acknowledge": N_("Looked at {subject}: {why}"),
    "session.bill": N_("Billed {amount} for {subject} after a look: {why}"),
    "person.create": N_("Entered {subject} in the group {group}"),
    "person.change": N_("Changed what is kept of {subject}, in the group {group}"),
    "station.meter_key": N_("Changed the public key of a meter of {subject}"),
    "person.buyer": N_("Bills of {subject} are made out to {name}"),
    "person.close": N_("Closed the account of {subject}: no card of theirs charges any more"),
    "person.reopen": N_("{subject} is back"),
    "person.limits": N_("Changed the limits of {subject}"),
    "pool.change": N_("Changed what is kept of the pool {subject}"),
    "pool.join": N_("{subject} charges from the pool {pool_name}; {amount} of their own went into it"),
    "pool.leave": N_("Took {subject} out of the pool {pool_name}"),
    "person.merge": N_("Merged {name} into {subject}: cards and {amount}"),
    "approval.ask": N_("Asked for a second person: {amount} for {subject}"),
    "approval.approve": N_("Agreed to {amount} for {subject}, from {before_minor} to {after_minor}"),
    "approval.refuse": N_("Refused, or took back, {amount} for {subject}"),
    "person.undo": N_("Took back a top-up of {subject} by {amount}"),
    "person.topup": N_("Topped up the wallet of {subject} by {amount}, {method}"),
    "person.refund": N_("Paid {amount} back to {subject}, {method}"),
    "person.correct": N_("Corrected the wallet of {subject} by {amount}: {reason}"),
    "shift.open": N_("Opened {subject} with {amount}, drawer {drawer}"),
    "shift.hand_over": N_("Handed drawer {drawer} with {amount} over: {subject}"),
    "shift.pay_in": N_("Put {amount} into the drawer of {subject}: {reason}"),
    "shift.pay_out": N_("Took {amount} out of the drawer of {subject}: {reason}"),
    "shift.count": N_("Counted {amount} in the drawer of {subject}; the difference of {difference} was shown"),
    "shift.close": N_("Closed {subject} with {amount}, difference {difference}: Z report {z}"),
    "card.create": N_("Gave {name} the card {subject}"),
    "card.change": N_("Changed the card {subject}"),
    "card.block": N_("Blocked the card {subject}: {why}"),
    "card.unblock": N_("Unblocked the card {subject}"),
    "card.accept": N_("Uses the card {subject} by its number alone: it could not be written"),
    "desk.undo": N_("Took back what was done with the card {subject}"),
    "card.limits": N_("Changed the limits of the card {subject}"),
    "card.alias": N_("Chargers call the card {subject} {token} from now on"),
    "card.unalias": N_("No charger calls the card {subject} {token} any more"),
    "card.pin": N_("Set a PIN for the page of the card {subject}"),
    "card.no_pin": N_("Took the PIN of the card {subject} away"),
    "card.import": N_("Imported a list: {people}, {cards}, {changed}"),
    "card.replace": N_("Replaced the card {subject} by a new one"),
    "group.create": N_("Made the group {subject}: {policy}"),
    "group.change": N_("Changed the group {subject}: {policy}"),
    "oldcard.list": N_("Brought a list of old cards worth {amount}"),
    "oldcard.key": N_("Entered the key of old cards"),
    "oldcard.clear": N_("The balance on the old card {subject} was taken off"),
    "money.stop": N_("Stopped all money: the books do not agree with themselves"),
    "money.lift": N_("Let money move again: {reason}"),
    "tariff.create": N_("Made the tariff {subject}"),
    "tariff.change": N_("Changed the prices of the tariff {subject}"),
    "tariff.default": N_("Made {subject} the usual tariff"),
    "tariff.archive": N_("Took the tariff {subject} out of use"),
    "voucher.make": N_("Printed vouchers of {amount} each: batch {batch}"),
    "voucher.sell": N_("Sold the voucher {name} for {amount}, {method}"),
    "voucher.void": N_("Voided vouchers of batch {batch}: {numbers}"),
    "voucher.refund": N_("Voided the voucher {name} and paid back {amount}, {method}"),
    "voucher.write_off": N_("Wrote off {amount} of the voucher {name}, which had expired"),
    "voucher.hold": N_("Vouchers of batch {batch} are held since a restore: {numbers}"),
    "voucher.release": N_("Let the voucher {name} go on, which was held"),
    "voucher.guess": N_("Typed a code that is no voucher's, from {address}"),
    "problem.acknowledge": N_("Took note of {subject}"),
    "site.stations_root": N_("Gave chargers a certificate authority of their own"),
    "site.anchor": N_("Began to anchor the books"),
    "site.accept_books": N_("Took the books as they are: {wrong}"),
    "site.restore": N_("Put a backup in the place of the books"),
    "site.owner_key": N_("Made an owner's key: its words open the secrets in later backups"),
    "site.new_secrets": N_("Gave up the secrets that were kept, and began with a new key"),
    "setting.site": N_("Changed the site: it is called {name} and speaks {language}"),
    "setting.change": N_("Set “{subject}” to {value}"),
    "operator.add": N_("Added {subject} as {role}"),
    "operator.change": N_("Changed {subject}: {role}, before that {was}"),
    "operator.disable": N_("{subject} may log in no longer"),
    "operator.enable": N_("{subject} may log in again"),
    "operator.password": N_("Set a new password for {subject}"),
    "operator.log_in_failed": N_("A log-in as {subject} failed, from {address} {missed}"),
    "operator.log_in_unknown": N_("A log-in under a name that nobody has failed, from {address} {missed}"),
    "operator.log_in": N_("Logged in from {address}"),
    "operator.end_log_in": N_("Ended a log-in of {subject}"),
    "token.create": N_("Made the API token {subject} as {role}"),
    "token.revoke": N_("Revoked the API token {subject}"),
    "token.use_unknown": N_("A program sent a token that nobody has, from {address} {missed}"),
    "token.use_revoked": N_("A program sent the token {subject}, which is revoked, from {address} {missed}"),
}
"""By action. `{subject}` is what it was done to; the other `{names}` are details, as CONVERSIONS write them."""

WITH_BEFORE = {"setting.change": N_("Set “{subject}” from {before} to {value}")}
"""Instead of those, where it is known what was before; rows of older releases do not say."""

PROOFS = {0: N_("nothing"), 1: N_("password"), 2: N_("password over TLS"), 3: N_("certificate of its own")}


def sentence(row: AuditRow, subjects: Mapping[str, Subject], fmt: Formats) -> Markup:
    """A row in words, names as links to their pages. What has no sentence is shown as it was recorded."""
    details = _details(row.details)
    words = (WITH_BEFORE.get(row.action) if "before" in details else None) or SENTENCES.get(row.action)
    if words is None:
        written = " · ".join(f"{name}: {value}" for name, value in details.items())
        return Markup("<code>{} {}</code> {}").format(row.action, row.subject, written)
    about = link(row.subject, subjects, details, fmt)
    values = _Values({name: escape(_plain(value)) for name, value in details.items()})
    values |= {"subject": about, "place": _place(about, details.get("evse"), fmt)}
    for name, convert in CONVERSIONS.items():
        if name in details:
            values |= convert(details[name], fmt)
    values |= {kind: link(f"{kind}:{details[kind]}", subjects, {}, fmt) for kind in LINKED if kind in details}
    if row.action == "card.import":
        values |= imported(details, fmt)
    if row.action == "setting.change":
        name = row.subject.partition(":")[2]
        values |= {one: _setting(name, _plain(details[one]), fmt) for one in ("value", "before") if one in details}
    # A reason that nobody gave leaves a colon at the end.
    told = Markup(escape(_(words)).format_map(values).strip().removesuffix(":"))  # noqa: S704  # values are escaped
    return told + _changed(details.get("changed"), fmt)


def mentioned(rows: Iterable[AuditRow]) -> set[str]:
    """All that these rows speak of, whose names the sentences need."""
    found = {row.subject for row in rows}
    for row in rows:
        person = _details(row.details).get("person")
        if isinstance(person, int):
            found.add(f"person:{person}")
    return found


def link(subject: str, subjects: Mapping[str, Subject], details: Mapping[str, Any], fmt: Formats) -> Markup:
    """The name of a subject, leading to its page where it has one."""
    kind, _colon, key = subject.partition(":")
    known = subjects.get(subject)
    if kind == "setting":
        labels = {name: words.label for group in SETTINGS.values() for name, words in group.items()}
        name, path = _(labels[key]) if key in labels else key, "/settings"
    elif kind in NUMBERED:
        words, page = NUMBERED[kind]
        name, path = _(words).format(number=key.translate(fmt.digits)), page.format(key)
    else:
        # The name it has now, so that it can be found; what is gone has the one it had then.
        name = known.name if known else str(details.get("name") or details.get("uid") or subject)
        path = PAGES[kind].format(quote(known.key, safe="")) if known and kind in PAGES else ""
    return Markup('<a href="{}">{}</a>').format(path, name) if path else escape(name)


PAGES = {
    "station": "/stations/{}",
    "person": "/people/{}",
    "card": "/cards/{}",
    "group": "/groups/{}",
    "tariff": "/tariffs/{}",
}
"""Where the page of a thing is, for those who may read this list."""
NUMBERED = {
    "session": (N_("session {number}"), "/sessions/{}"),
    "shift": (N_("shift {number}"), "/till/shifts/{}"),
    "problem": (N_("problem {number}"), "/problems"),
}
"""What has no name but its number, and where it is."""
LINKED = ("person", "session")
"""Details that have a page of their own."""


CONVERSIONS: dict[str, Callable[[Any, Formats], dict[str, str]]] = {
    "amount_minor": lambda value, fmt: {"amount": fmt.money(value)},
    "method": lambda value, _fmt: {"method": _(IN_METHODS[value]) if value in IN_METHODS else _plain(value)},
    "policy": lambda value, _fmt: {"policy": _(POLICIES[value][0]) if value in POLICIES else _plain(value)},
    "role": lambda value, _fmt: {"role": role_name(_plain(value))},
    "was": lambda value, _fmt: {"was": role_name(_plain(value))},
    "profile": lambda value, _fmt: {"proof": _(PROOFS[value]) if value in PROOFS else _plain(value)},
    "language": lambda value, _fmt: {"language": LANGUAGES.get(_plain(value), _plain(value))},
    "difference_minor": lambda value, fmt: {"difference": fmt.money(value)},
    "before_minor": lambda value, fmt: {"before_minor": fmt.money(value)},
    "after_minor": lambda value, fmt: {"after_minor": fmt.money(value)},
    "power_w": lambda value, fmt: {
        "power": _("{power} kW").format(power=fmt.power(value)) if value else _("not known")
    },
    "measured_w": lambda value, fmt: {
        "measured": _("{power} kW").format(power=fmt.power(value)) if value else _("not known")
    },
    "numbers": lambda value, fmt: {"numbers": _ranges(value, fmt)},
    "missed": lambda value, fmt: {"missed": _missed(value, fmt)},
    "why": lambda value, _fmt: {"why": note_sentence(_plain(value))},
}
"""How details that are not plain words are written."""


FIELDS = {
    "name": N_("Name"),
    "label": N_("Label"),
    "phone": N_("Telephone"),
    "note": N_("Note"),
    "language": N_("Language"),
    "group": N_("Group"),
    "transactions_max": N_("Sessions at once"),
    "expires_at_ms": N_("Charges until"),
    "limit_minor": N_("Limit"),
    "contact": N_("Contact"),
    "tax_number": N_("Tax number"),
    "hides_balance": N_("Balance hidden from its people"),
    "minimum_minor": N_("Least credit to begin with"),
    "emergency_minor": N_("Emergency credit"),
    "low_minor": N_("Call them below"),
    "day_energy_wh": N_("Energy a day"),
    "day_minor": N_("Money a day"),
    "month_energy_wh": N_("Energy a month"),
    "month_minor": N_("Money a month"),
}
"""What may stand in the detail `changed` and is not in the sentence itself; what is not here is written by its name."""
TOLD = frozenset({"policy", "role"})
"""What the sentences say themselves."""


def _changed(found: object, fmt: Formats) -> Markup:
    """What was different, with what it was: ` · Label: 0042 → 0043`."""
    if not isinstance(found, dict):
        return Markup("")
    parts = [
        Markup(" · {}: {} → {}").format(
            _(FIELDS[name]) if name in FIELDS else name, *(_field(name, one, fmt) for one in both)
        )
        for name, both in found.items()
        if name not in TOLD
    ]
    return Markup("").join(parts)


def _field(name: str, value: object, fmt: Formats) -> str:
    if value in (None, ""):
        return "–"
    if name == "expires_at_ms" and isinstance(value, int):
        return fmt.day(value - 1)
    if isinstance(value, bool) or name == "hides_balance":
        return _("yes") if value else _("no")
    if name.endswith("_minor") and isinstance(value, int):
        return fmt.money(value)
    if name.endswith("_wh") and isinstance(value, int):
        return _("{energy} kWh").format(energy=fmt.energy(value))
    return LANGUAGES.get(str(value), str(value)) if name == "language" else str(value)


class _Values(dict[str, Any]):
    """What a row of an older release lacks is left out of its sentence."""

    def __missing__(self, name: str) -> str:
        return ""


def _ranges(found: object, fmt: Formats) -> str:
    """Numbers of vouchers, as pairs of first and last."""
    pairs = found if isinstance(found, list) else []
    return ", ".join(
        fmt.number(first) if first == last else f"{fmt.number(first)}–{fmt.number(last)}" for first, last in pairs
    )


def _missed(count: object, fmt: Formats) -> str:
    """How many others have no row of their own."""
    if not isinstance(count, int) or not count:
        return ""
    return ngettext("({count} more before it)", "({count} more before it)", count).format(count=fmt.number(count))


def imported(counts: Mapping[str, Any], fmt: Formats) -> dict[str, str]:
    """What a list has brought: people, cards and changes, each in words."""
    people, cards, changed = (int(counts.get(name) or 0) for name in ("people", "cards", "changed"))
    return {
        "people": ngettext("{count} new person", "{count} new people", people).format(count=fmt.number(people)),
        "cards": ngettext("{count} new card", "{count} new cards", cards).format(count=fmt.number(cards)),
        "changed": ngettext("{count} change", "{count} changes", changed).format(count=fmt.number(changed)),
    }


def _place(station: Markup, evse: object, fmt: Formats) -> Markup:
    return Markup("{} · {}").format(station, fmt.number(evse)) if isinstance(evse, int) and evse > 0 else station


def _setting(name: str, text: str, fmt: Formats) -> str:
    """What a setting was set to, as its page writes it."""
    known = any(name in group for group in SETTINGS.values())
    return in_words(name, int(text), fmt) if known and name not in TEXTS and text.isdecimal() else text


def _details(text: str) -> dict[str, Any]:
    found = orjson.loads(text)
    return found if isinstance(found, dict) else {}


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
