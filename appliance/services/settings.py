"""What the owner may change: each setting with its default, its bounds, and the text that is stored.

A stored setting that no release reads any more, or that cannot be read, is a problem for the staff, not a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

from appliance.db import site as sites
from appliance.db.engine.memory import Slot
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain import network
from appliance.domain.by import By
from appliance.domain.cards.old_value import read_layout
from appliance.domain.errors import Invalid
from appliance.domain.printers import place_of
from appliance.services import audit
from appliance.services.announce import SettingsChanged
from appliance.services.operators.authority import NotAllowed, is_owner
from appliance.services.texts import one_line


@dataclass(frozen=True, slots=True)
class Settings:
    """The values in force."""

    accept_unknown: bool = True
    """Whether a station nobody knows may knock; False: it is refused with 404."""
    assume_ocpp16: bool = False
    """Whether a station that names no version is taken to speak OCPP 1.6; else it is turned away."""
    upgrade_always: bool = False
    """Whether a station that speaks no version that is spoken here is told so after the handshake; else by HTTP 400."""
    heartbeat_interval_s: int = 300
    call_timeout_s: int = 30
    messages_per_s: int = 50
    """How many messages a station may send for long; the rest waits. 0: any number."""
    start_timeout_s: int = 90
    """From the start request to the transaction; then the money is given back."""
    slice_minor: int = 0
    """What is held at a time for a prepaid session; 0: as much as 10 units of the currency."""
    minimum_minor: int = 1
    """Least available balance with which a prepaid session may begin."""
    low_balance_minor: int = 0
    """Below this somebody who pays beforehand is on the list of those to call, unless their group says otherwise; 0: never."""
    sample_interval_s: int = 60
    """How often stations send meter values, as far as the stop before the money runs out is concerned."""
    set_sampling: bool = True
    """Whether chargers that measure less often, or do not tell their register, are set so that they do: on, because whoever pays
    beforehand can be stopped in time only then. What it was is in the audit list."""
    stop_latency_s: int = 15
    card_deposit_minor: int = 0
    """Taken for a card when it is issued, and given back with it."""
    parking_max_s: int = 43_200
    """The place is charged for at most so long after a transaction: nobody may have heard the cable being pulled."""
    session_energy_max_wh: int = 500_000
    """More than this in one session is not billed before somebody has looked at it."""
    second_person_minor: int = 0
    """Above this a top-up, a refund or a correction needs a second person; 0: never."""
    cash_needs_shift: bool = False
    """Whether cash is taken and paid out only by who has a shift open."""
    guards_take_cash: bool = False
    """Whether guards may have a drawer, and take top-ups at the till; nothing else of money."""
    hide_drawer: bool = False
    """Whether cashiers are not told what must be in their drawer, nor what was over or short."""
    drawer_off_minor: int = 1
    """From so much on what is over or short in a drawer is a problem; 0: never."""
    refund_cashier_minor: int = 0
    """So much within a day a cashier pays back to one person alone; above it a manager is asked to agree."""
    old_card_max_minor: int = 0
    """So much the balance of one card of an earlier local system may bring; 0: none is taken over."""
    old_card_layout: str = ""
    """Where such a card has its balance: domain/cards/old_value.py."""
    power_max_kw: int = 0
    """The greatest power of the site's chargers; what rises faster is no reading. 0: nobody has said, and 400 kW holds."""
    message_log_days: int = 90
    message_log_max_mb: int = 4_000
    message_log_charger_max_mb: int = 200
    sample_days: int = 400
    offline_after_s: int = 180
    """How long a station may be away before that is a problem."""
    clock_skew_s: int = 60
    silent_session_s: int = 1800
    """An open session without meter values for this long is a problem."""
    card_hop_s: int = 120
    """A card that begins a session at another station so soon after one is a problem; 0: never."""
    disk_free_min_mb: int = 500
    backup_age_max_days: int = 7
    idle_owner_s: int = 1800
    """After so long without a page a log-in of this role ends; so do the following."""
    idle_manager_s: int = 1800
    idle_cashier_s: int = 1800
    idle_guard_s: int = 1800
    idle_installer_s: int = 1800
    idle_viewer_s: int = 1800
    """0: never, for a board on a wall, which looks and does nothing."""
    host_names: str = ""
    """Names and addresses besides the box's own under which pages may be opened, parted by commas."""
    seller_name: str = ""
    """Who sells the energy, as the law knows them, for bills and statements; "": the site's name."""
    seller_address: str = ""
    seller_tax_number: str = ""
    """BIN, GSTIN, USt-IdNr. …"""
    buyer_from_minor: int = 0
    """Above so much the law wants name and address of the buyer on a bill; 0: never."""
    statement_due_days: int = 14
    """So long after a statement is issued what is owed on account is to be paid."""
    printer: str = ""
    """Where receipts come out: domain/printers.py; "": wherever a browser prints."""
    printer_narrow: bool = False
    """Whether its paper is 58 mm wide; else 80 mm."""
    printer_cuts: bool = False
    printer_drawer: bool = False
    """Whether a drawer hangs on the printer, which it opens when cash is taken or paid out."""
    bill_copies: int = 1
    """How often a bill is printed, each with its number among the copies."""
    country: str = ""
    """Two letters of ISO 3166: whose holidays are copied; "": nobody has said."""
    subdivision: str = ""
    """The part of the country, as ISO 3166-2 calls it behind the country: BY, MH."""
    trusted_proxies: str = ""
    """Addresses and networks of proxies that are believed when they say who asks, parted by commas."""

    def idle_s(self, role: str) -> int:
        """How long a log-in of a role may be unused; 0: for ever."""
        found: int = getattr(self, f"idle_{role}_s")
        return found


SETTINGS = Slot[Settings]()


BOUNDS: dict[str, tuple[int, int]] = {
    "heartbeat_interval_s": (10, 86_400),
    "call_timeout_s": (5, 300),
    "messages_per_s": (0, 100_000),
    "start_timeout_s": (15, 110),
    "slice_minor": (0, 10_000_000),
    "minimum_minor": (1, 100_000_000),
    "low_balance_minor": (0, 100_000_000),
    "sample_interval_s": (5, 3600),
    "stop_latency_s": (1, 300),
    "card_deposit_minor": (0, 10_000_000),
    "parking_max_s": (0, 604_800),
    "session_energy_max_wh": (1_000, 5_000_000),
    "second_person_minor": (0, 100_000_000),
    "refund_cashier_minor": (0, 100_000_000),
    "buyer_from_minor": (0, 10_000_000_000),
    "statement_due_days": (0, 365),
    "bill_copies": (1, 3),
    "drawer_off_minor": (0, 100_000_000),
    "old_card_max_minor": (0, 100_000_000),
    "power_max_kw": (0, 10_000),
    "message_log_days": (1, 3650),
    "message_log_max_mb": (1, 1_000_000),
    "message_log_charger_max_mb": (1, 100_000),
    "sample_days": (1, 3650),
    "offline_after_s": (30, 86_400),
    "clock_skew_s": (5, 86_400),
    "silent_session_s": (60, 86_400),
    "card_hop_s": (0, 86_400),
    "idle_owner_s": (60, 43_200),
    "idle_manager_s": (60, 43_200),
    "idle_cashier_s": (60, 43_200),
    "idle_guard_s": (60, 43_200),
    "idle_installer_s": (60, 43_200),
    "idle_viewer_s": (0, 43_200),
    "disk_free_min_mb": (50, 1_000_000),
    "backup_age_max_days": (1, 365),
}
"""Least and most of the numbers."""

OWNERS_OWN = frozenset(
    {"second_person_minor", "old_card_max_minor", "guards_take_cash", "printer", "host_names", "trusted_proxies", "messages_per_s",
     "message_log_days", "message_log_max_mb", "message_log_charger_max_mb", "idle_owner_s", "idle_manager_s", "idle_cashier_s", "idle_guard_s", "idle_installer_s", "idle_viewer_s"}
)  # fmt: skip
"""What holds managers, too, and what protects the site is not theirs to change: whose word is taken for an address, under which names
pages are shown, how much a charger may send, how long messages are kept as evidence, how long log-ins last, and to what in its network
this box speaks of itself."""
NAMES = tuple(field.name for field in fields(Settings))


def load(db: Readable) -> Settings:
    """The values in force; a stored text that cannot be read leaves the default."""
    values: dict[str, Any] = {}
    for name, text in sites.settings(db).items():
        with suppress(Invalid):
            values[name] = parse(name, text)
    return Settings(**values)


def unread(db: Readable) -> list[str]:
    """Names of stored settings that mean nothing to this release, or whose text cannot be read."""
    found = []
    for name, text in sites.settings(db).items():
        if name.startswith("setup."):  # The set-up code of services/operators/operators.py.
            continue
        try:
            parse(name, text)
        except Invalid:
            found.append(name)
    return found


def of(db: Database) -> Settings:
    """The values in force, remembered by the writer."""
    settings = SETTINGS.get(db)
    if settings is None:
        settings = load(db)
        SETTINGS.keep(db, settings)
    return settings


def change(db: Database, name: str, text: str) -> None:
    """Store one setting.

    Raises:
        Invalid: There is no such setting, or the text is not of its kind or out of bounds.
    """
    parse(name, text)
    sites.set_setting(db, name, text.strip())
    SETTINGS.drop(db)
    db.announce(SettingsChanged())


def change_by(db: Database, name: str, text: str, by: By) -> None:
    """Store one setting for somebody, and put it on record with what it was.

    Raises:
        NotAllowed: Only the owner changes it.
        Invalid: As `change` says.
    """
    if name in OWNERS_OWN and not is_owner(db, by.actor):
        if name == "second_person_minor":
            raise NotAllowed("Only the owner sets above which amount a second person is needed.")
        if name == "guards_take_cash":
            raise NotAllowed("Only the owner says whether guards take cash.")
        raise NotAllowed(
            "Only the owner changes what protects the site: its names, proxies, bounds, printer, and idle times."
        )
    before = stored(getattr(load(db), name, ""))
    change(db, name, text)
    audit.record(db, by, "setting.change", f"setting:{name}", value=text.strip(), before=before)


def stored(value: int | bool | str) -> str:
    """A value as it is kept."""
    return value if isinstance(value, str) else str(int(value))


def parse(name: str, text: str) -> int | bool | str:
    """The value that `text` stands for."""
    if name not in NAMES:
        raise Invalid(name, "There is no setting {name}.", name=name)
    if name in TEXTS:
        TEXTS[name](name, text)
        return text.strip()
    if name not in BOUNDS:
        if text.strip() not in ("0", "1"):
            raise Invalid(name, "This setting is either on or off.")
        return text.strip() == "1"
    least, most = BOUNDS[name]
    try:
        value = int(text)
    except ValueError:
        raise Invalid(name, "Enter a whole number.") from None
    if not least <= value <= most:
        raise Invalid(name, "Between {least} and {most}.", least=least, most=most)
    return value


def _check_hosts(name: str, text: str) -> None:
    try:
        network.hosts(text)
    except ValueError:
        raise Invalid(name, "Names or addresses such as charge.example or 203.0.113.7, with commas between.") from None


def _check_networks(name: str, text: str) -> None:
    try:
        network.networks(text)
    except ValueError:
        raise Invalid(name, "Addresses or networks such as 192.168.7.3 or 10.1.0.0/24, with commas between.") from None


def _check_printer(name: str, text: str) -> None:
    try:
        place_of(text)
    except ValueError:
        raise Invalid(
            name,
            "An address in the site's own network such as 192.168.7.20 or 192.168.7.20:9100, or a device such as /dev/usb/lp0.",
        ) from None


def _check_layout(name: str, text: str) -> None:
    try:
        read_layout(text)
    except ValueError:
        raise Invalid(
            name,
            "Say it like this: block=8 key=A form=value unit=1. The form is value, little or big; the latter with offset and length.",
        ) from None


def _check_words(name: str, text: str) -> None:
    one_line(name, text)


TEXTS: dict[str, Callable[[str, str], None]] = {
    "host_names": _check_hosts,
    "trusted_proxies": _check_networks,
    "seller_name": _check_words,
    "seller_address": _check_words,
    "seller_tax_number": _check_words,
    "printer": _check_printer,
    "country": _check_words,
    "subdivision": _check_words,
    "old_card_layout": _check_layout,
}
"""What refuses a text, by its name; what is neither here nor among the numbers is yes or no."""
