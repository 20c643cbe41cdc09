"""What can be wrong: the kinds of problems, and for each what raises it and what ends it.

What a kind says and advises is in `ui/wording/problem_texts.py`. To some a check belongs, a file in `services/problems/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

HOUR_S = 3600
DAY_S = 24 * HOUR_S


class ProblemKind(StrEnum):
    """A kind of problem, as it is stored. A database may hold kinds of older releases."""

    KNOCKING = "knocking"
    NO_ROOM_TO_KNOCK = "no_room_to_knock"
    OFFLINE = "offline"
    FAULTED = "faulted"
    CLOCK_SKEW = "clock_skew"
    SILENT_SESSION = "silent_session"
    MISSED_READINGS = "missed_readings"
    UNWATCHED = "unwatched"
    NO_SESSION = "no_session"
    UNBILLED = "unbilled"
    NO_CONNECTORS = "no_connectors"
    REVIEW = "review"
    UNREADABLE = "unreadable"
    STRAY_STOP = "stray_stop"
    FOREIGN_TRANSACTION = "foreign_transaction"
    VIOLATION = "violation"
    WRONG_URL = "wrong_url"
    FOREIGN_PAGE = "foreign_page"
    DUPLICATE_IDENTITY = "duplicate_identity"
    NEWCOMER = "newcomer"
    CARDS_TRIED = "cards_tried"
    LOG_INS_FAILED = "log_ins_failed"
    APPROVAL = "approval"
    STATION_ERROR = "station_error"
    DISK_SPACE = "disk_space"
    DISK_FULL = "disk_full"
    RESTORED = "restored"
    BACKUP_AGE = "backup_age"
    SECRETS = "secrets"
    OWNER_KEY_MISSING = "owner_key_missing"
    UNREAD_SETTING = "unread_setting"
    NO_TARIFF = "no_tariff"
    STOP_IGNORED = "stop_ignored"
    START_LOST = "start_lost"
    REFUSED_CHARGING = "refused_charging"
    OVERRUN = "overrun"
    DRAWER_OFF = "drawer_off"
    SIGNED_ENERGY = "signed_energy"
    BOOKS = "books"
    MONEY_STOPPED = "money_stopped"
    JOB_FAILED = "job_failed"
    PRINTER = "printer"
    READER = "reader"
    TORN_CARD = "torn_card"
    CARD_COPY = "card_copy"
    CARD_TWICE = "card_twice"
    CARD_HOP = "card_hop"


@dataclass(frozen=True, slots=True)
class Rule:
    """The course of a kind of problem.

    A state lasts until its cause is gone: staff who dismiss it see it again when it was over and comes anew. What has happened is
    counted each time: dismissed it is over, and the next time is a new problem.
    """

    raised: str
    """When."""
    over: str
    """What ends it by itself, or why only staff can."""
    happened: bool = False
    """It is an event, no state."""
    quiet_s: int = 0
    """An event that goes by itself when it has not happened again for so long; 0: it stays until something else ends it."""
    names: str = ""
    """The detail of which an event names the last few, and not only the last."""
    keeps: tuple[str, ...] = ()
    """Details of an event that stay when another time does not tell them."""
    stays: bool = False
    """Nobody can put it aside: it is over when what ends it has happened."""
    alike: tuple[str, ...] = ()
    """Details in which problems of this kind must agree to be told as one."""


RULES: dict[str, Rule] = {
    ProblemKind.KNOCKING: Rule("a station that nobody knows wants to connect", "it is approved or turned away"),
    ProblemKind.NO_ROOM_TO_KNOCK: Rule(
        "a station that nobody knows finds all places taken",
        "an hour without another one",
        happened=True,
        quiet_s=HOUR_S,
        names="who",
    ),
    ProblemKind.OFFLINE: Rule("an approved station has no connection for a while", "it connects, or is retired"),
    ProblemKind.FAULTED: Rule("a connector, or the station, says Faulted", "it says something else, or is retired"),
    ProblemKind.CLOCK_SKEW: Rule("the times in a station's messages are wrong", "they are right, or it is retired"),
    ProblemKind.SILENT_SESSION: Rule("no reading comes of a session that runs", "one comes, or the session ends"),
    ProblemKind.REVIEW: Rule("a session's figures cannot be right", "staff decide about the session: it is money"),
    ProblemKind.UNREADABLE: Rule(
        "a start, a stop or readings cannot be read",
        "of a start: its session is decided about; of all else only staff can tell whether somebody has charged",
        happened=True,
        names="text",
    ),
    ProblemKind.STRAY_STOP: Rule(
        "a transaction ends that we do not know",
        "only staff can tell whether somebody has charged and owes for it",
        happened=True,
        names="ref",
    ),
    ProblemKind.FOREIGN_TRANSACTION: Rule(
        "a station ends another station's transaction",
        "a day without another: it was ignored, and nobody owes for it",
        happened=True,
        quiet_s=DAY_S,
        names="ref",
    ),
    ProblemKind.VIOLATION: Rule(
        "a station cannot be let in, or not be understood, for how it speaks",
        "it comes in well from there, or a day without another",
        happened=True,
        quiet_s=DAY_S,
        alike=("what",),
    ),
    ProblemKind.WRONG_URL: Rule(
        "a charger asks for a path that is none of ours",
        "a charger connects well from that address, or a day without another",
        happened=True,
        quiet_s=DAY_S,
    ),
    ProblemKind.FOREIGN_PAGE: Rule(
        "a page of the web tries to pass as a charger", "a day without another", happened=True, quiet_s=DAY_S
    ),
    ProblemKind.DUPLICATE_IDENTITY: Rule(
        "two devices take turns under one name",
        "two hours without another turn",
        happened=True,
        quiet_s=2 * HOUR_S,
        keeps=("devices",),
    ),
    ProblemKind.NEWCOMER: Rule(
        "another device says that it is a station without a password",
        "it is let in, or a day without another",
        happened=True,
        quiet_s=DAY_S,
        alike=("waits",),
    ),
    ProblemKind.CARDS_TRIED: Rule(
        "many cards that may not charge are shown at one station", "a day without more", happened=True, quiet_s=DAY_S
    ),
    ProblemKind.LOG_INS_FAILED: Rule(
        "twenty log-ins have failed within an hour, or so many requests with tokens that open nothing",
        "a day without twenty more",
        happened=True,
        quiet_s=DAY_S,
        alike=("what",),
    ),
    ProblemKind.APPROVAL: Rule("something waits for a second person", "one agrees or refuses, or a day has passed"),
    ProblemKind.STATION_ERROR: Rule(
        "a message of a station fails here",
        "it is a defect of ours: only staff can tell somebody who mends it",
        happened=True,
        names="action",
    ),
    ProblemKind.RESTORED: Rule(
        "a backup was put in the place of the books", "only staff can look after what waits", happened=True
    ),
    ProblemKind.DRAWER_OFF: Rule(
        "more, or less, was counted at the end of a shift than had to be in its drawer",
        "only staff can find out where the money went, or came from",
        happened=True,
        alike=("is_short",),
    ),
    ProblemKind.DISK_SPACE: Rule("little is left on the disk", "more is left"),
    ProblemKind.DISK_FULL: Rule("what is left on the disk is kept for sessions", "more is left"),
    ProblemKind.BACKUP_AGE: Rule("the last backup is old, or there is none", "one is made"),
    ProblemKind.SECRETS: Rule("the sealing key is missing, or another site's", "the server starts with the right one"),
    ProblemKind.OWNER_KEY_MISSING: Rule("secrets are kept, and no owner's key is made", "one is made"),
    ProblemKind.UNREAD_SETTING: Rule("a setting cannot be read", "it can, or is gone"),
    ProblemKind.NO_TARIFF: Rule("no tariff is the default", "one is"),
    ProblemKind.STOP_IGNORED: Rule("a station does not stop a session, asked again and again", "the session is over"),
    ProblemKind.START_LOST: Rule(
        "a station accepts a start, and no transaction follows", "a session begins at that station", happened=True
    ),
    ProblemKind.REFUSED_CHARGING: Rule(
        "energy flows in a session that was refused",
        "only staff can tell who it was, and what they owe",
        happened=True,
        names="session",
    ),
    ProblemKind.OVERRUN: Rule(
        "a session has cost more than its wallet could give, by more than a slice",
        "only staff can tell whether its holder pays the rest, and set its station right",
        happened=True,
    ),
    ProblemKind.MISSED_READINGS: Rule(
        "two readings of a session with an end to its money are missed", "one comes, or it is over"
    ),
    ProblemKind.UNWATCHED: Rule("a charger is known to send no readings that can be used", "one comes"),
    ProblemKind.NO_CONNECTORS: Rule(
        "a station that is let in does not tell of its connectors, however it is asked", "it tells of one"
    ),
    ProblemKind.NO_SESSION: Rule("a connector charges for minutes without a session", "it stops, or a session begins"),
    ProblemKind.UNBILLED: Rule(
        "a register moves on while no session runs",
        "the stop of the session before comes late, and says so; else only staff can tell who has charged",
        happened=True,
    ),
    ProblemKind.SIGNED_ENERGY: Rule(
        "a meter has signed another energy than its session was billed for",
        "only staff can tell which of both is right, and settle it with the holder",
        happened=True,
    ),
    ProblemKind.BOOKS: Rule("the nightly check finds the books wrong", "it finds them right"),
    ProblemKind.MONEY_STOPPED: Rule(
        "the money does not agree with itself when it is reconciled", "an owner lets money move again", stays=True
    ),
    ProblemKind.JOB_FAILED: Rule("a regular job fails", "it runs well"),
    ProblemKind.PRINTER: Rule(
        "the printer of receipts does not print", "it prints or can be reached, or is used no more"
    ),
    ProblemKind.READER: Rule("the reader of a desk is missing, or does not work", "it works, or the desk is gone"),
    ProblemKind.TORN_CARD: Rule("a card is taken away before it is written", "it is finished, or its job undone"),
    ProblemKind.CARD_COPY: Rule("a copy of a card is laid on a reader", "the card is blocked", happened=True),
    ProblemKind.CARD_TWICE: Rule("a card is shown while it charges elsewhere", "the card is blocked", happened=True),
    ProblemKind.CARD_HOP: Rule("a card travels faster than people", "the card is blocked", happened=True),
}
"""All kinds."""

OF_AN_OLDER_RELEASE = Rule("", "", happened=True)


def rule_of(kind: str) -> Rule:
    """The rule of a kind as it is stored."""
    return RULES.get(kind, OF_AN_OLDER_RELEASE)


TOGETHER_MS = 60_000
TOGETHER_MIN = 3


def row_keys(problems: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """For each problem, by its kind and details, the name of the row in which it is told: like ones share one.

    Chargers that went offline within a minute of one another have a row of their own: what they share has failed.
    """
    gone = [went_offline_ms(kind, details) for kind, details in problems]
    bursts = together([at_ms for at_ms in gone if at_ms is not None])
    keys = []
    for (kind, details), at_ms in zip(problems, gone, strict=True):
        key = ":".join([kind, *(str(details.get(name, "")) for name in rule_of(kind).alike)])
        keys.append(f"{key}:{bursts[at_ms]}" if at_ms in bursts else key)
    return keys


def went_offline_ms(kind: str, details: Mapping[str, Any]) -> int | None:
    """When a problem's charger went offline; None for another kind of problem, and for a charger that never came."""
    if kind != ProblemKind.OFFLINE or details.get("ever") is False:
        return None
    at_ms = details.get("since_ms")
    return at_ms if isinstance(at_ms, int) else None


def together(times_ms: Sequence[int]) -> dict[int, int]:
    """Of moments those that lie close together, as when a switch loses power: each with the first moment of its burst."""
    bursts: list[list[int]] = []
    for at_ms in sorted(times_ms):
        if bursts and at_ms - bursts[-1][-1] <= TOGETHER_MS:
            bursts[-1].append(at_ms)
        else:
            bursts.append([at_ms])
    return {at_ms: burst[0] for burst in bursts if len(burst) >= TOGETHER_MIN for at_ms in burst}
