"""Problems in words: for each kind a sentence, what to do, how urgent it is, and where to go.

The kinds are those of domain/problem.py, as a test sees; the numbers in `details` come from where a problem is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from appliance.db.problems import Problem
from appliance.db.stations.stations import Named
from appliance.domain.cards.tag import ReaderState, ReaderStatus
from appliance.domain.order import natural
from appliance.domain.problem import ProblemKind, rule_of, went_offline_ms
from appliance.services.problems import listed
from appliance.services.problems.groups import Group
from appliance.services.problems.private import TEXT
from appliance.ui.frame.language import _, ngettext, nN_
from appliance.ui.wording import card_desk, reconciling
from appliance.ui.wording.printing import trouble_words
from appliance.ui.wording.problem_texts import (
    DRAWER_HIDDEN,
    DRAWER_SHORT,
    FAILED_TOKENS,
    IN_PART,
    NOT_WATCHED,
    TEXTS,
    TRIED,
    UNBILLED_FIRST,
    VIOLATIONS,
    WAITING_NEWCOMER,
    WENT_OFFLINE,
    Text,
)
from appliance.ui.wording.sessions import authorization_words, contradiction_sentence
from appliance.ui.wording.words import error_sentence
from appliance.ui.writing.formats import Formats


@dataclass(frozen=True, slots=True)
class Described:
    """A problem, ready to be read."""

    id: int
    kind: str
    sentence: str
    advice: str
    urgent: bool
    since_ms: int
    last_at_ms: int
    times: int
    cleared_at_ms: int | None
    href: str
    """Where to do something about it; "" for nowhere."""
    name: str
    """What the station is called that it is about; "" for none."""
    sent: list[str]
    """The last few messages that it is about, word for word."""


@dataclass(frozen=True, slots=True)
class DescribedGroup:
    """A row: one problem, or several that are alike, ready to be read."""

    key: str
    kind: str
    sentence: str
    advice: str
    urgent: bool
    since_ms: int
    last_at_ms: int
    times: int
    newest: int
    members: list[Described]
    stays: bool
    """Whether nobody can put it aside."""
    by_name: bool
    """Whether the names of its chargers say all about its members."""


def describe(problem: Problem, stations: Mapping[int, Named], fmt: Formats, now_ms: int) -> Described:
    """A problem in words, of one that is over as it was at its end. `stations` are all of them by number."""
    text = _text(problem)
    values = _Values(_values(problem, stations, fmt, problem.cleared_at_ms or now_ms))
    times = _times(problem)
    sentence = ngettext(*text.again, times) if times > 1 and any(text.again) else _(text.sentence)
    number = station_number(problem)
    return Described(
        id=problem.id,
        kind=problem.kind,
        sentence=sentence.format_map(values).strip(),
        advice=_(text.advice).format_map(values),
        urgent=text.urgent,
        since_ms=problem.since_ms,
        last_at_ms=problem.last_at_ms,
        times=problem.times,
        cleared_at_ms=problem.cleared_at_ms,
        href=_href(problem, stations),
        name=stations[number].name if number in stations else "",
        sent=[str(one) for one in listed(problem.details.get(TEXT)) if one],
    )


def describe_group(group: Group, stations: Mapping[int, Named], fmt: Formats, now_ms: int) -> DescribedGroup:
    """A row in words."""
    first = group.members[0]
    members = [describe(one, stations, fmt, now_ms) for one in group.members]
    sentence, advice, urgent = members[0].sentence, members[0].advice, members[0].urgent
    if len(members) > 1:
        at_ms = went_offline_ms(first.kind, first.details)
        text = WENT_OFFLINE if group.key != first.kind and at_ms is not None else _text(first)
        values = _Values(_values(first, stations, fmt, now_ms) | {"count": fmt.number(len(members))})
        if at_ms is not None:
            values["at"] = fmt.when(
                min(went_offline_ms(one.kind, one.details) or at_ms for one in group.members), now_ms
            )
        many = text.many if any(text.many) else nN_("{count} problem of one kind.", "{count} problems of one kind.")
        sentence = ngettext(*many, len(members)).format_map(values)
        advice = _(text.many_advice or text.advice).format_map(values)
        members.sort(key=lambda one: (natural(one.name), one.id))
    return DescribedGroup(
        key=group.key,
        kind=first.kind,
        sentence=sentence,
        advice=advice,
        urgent=urgent,
        since_ms=group.since_ms,
        last_at_ms=group.last_at_ms,
        times=group.times,
        newest=group.newest,
        members=members,
        stays=rule_of(first.kind).stays,
        by_name=first.kind == ProblemKind.OFFLINE,
    )


def _text(problem: Problem) -> Text:
    """The words of its kind, or of what the violation is."""
    text = TEXTS.get(problem.kind, Text(problem.kind, ""))
    if problem.kind == ProblemKind.VIOLATION:
        return VIOLATIONS.get(str(problem.details.get("what")), text)
    if problem.kind == ProblemKind.UNREADABLE and "session" in problem.details:
        return IN_PART
    if problem.kind == ProblemKind.LOG_INS_FAILED and problem.details.get("what") == "token":
        return FAILED_TOKENS
    if problem.kind == ProblemKind.UNBILLED and "session" not in problem.details:
        return UNBILLED_FIRST
    if problem.kind == ProblemKind.DRAWER_OFF and problem.details.get("is_short") is not False:
        return DRAWER_SHORT if "is_short" in problem.details else DRAWER_HIDDEN
    if problem.kind == ProblemKind.NEWCOMER and problem.details.get("waits"):
        return WAITING_NEWCOMER
    return text


class _Values(dict[str, str]):
    """A number that an older release did not note is shown as a dash."""

    def __missing__(self, name: str) -> str:
        return "–"


def _times(problem: Problem) -> int:
    """How often it has happened: by its own count, where it comes with one."""
    times = problem.details.get("times")
    return times if isinstance(times, int) else problem.times


def _values(problem: Problem, stations: Mapping[int, Named], fmt: Formats, now_ms: int) -> dict[str, str]:
    found = {name: _plain(value) for name, value in problem.details.items()}
    found["times"] = fmt.number(_times(problem))
    number = station_number(problem)
    if number in stations:
        found = {"identity": stations[number].identity} | found
        found["station"] = stations[number].name
        found.setdefault("identity", stations[number].identity)
        if (evse := problem.details.get("evse")) and stations[number].evses > 1:
            found["station"] += f" · {fmt.number(int(evse))}"
    other = problem.details.get("other")
    if isinstance(other, int) and other in stations:
        found["other"] = stations[other].name
    for name, render in CONVERSIONS.items():
        if isinstance(value := problem.details.get(name), int):
            found |= render(value, fmt, now_ms)
    if problem.kind == ProblemKind.OFFLINE and problem.details.get("ever") is False:
        found["since"] = fmt.duration((now_ms - problem.since_ms) // 1000)
    if problem.kind == ProblemKind.BACKUP_AGE and not isinstance(problem.details.get("last_ms"), int):
        found["last"] = _("never made")
    if (own := OWN_WORDS.get(problem.kind)) is not None:
        found |= own(problem, fmt)
    return found


CONVERSIONS: dict[str, Callable[[int, Formats, int], dict[str, str]]] = {
    "amount_minor": lambda value, fmt, _now_ms: {"amount": fmt.money(value)},
    "energy_wh": lambda value, fmt, _now_ms: {"energy": fmt.energy(value)},
    "since_ms": lambda value, fmt, now_ms: {"since": fmt.duration(max(0, now_ms - value) // 1000)},
    "skew_s": lambda value, fmt, _now_ms: {"skew": fmt.duration(abs(value))},
    "free_mb": lambda value, fmt, _now_ms: {"free": fmt.number(value)},
    "last_ms": lambda value, fmt, now_ms: {"last": fmt.ago(value, now_ms)},
    "session": lambda value, fmt, _now_ms: {"session": str(value).translate(fmt.digits)},
    "evses": lambda value, fmt, _now_ms: {"evses": fmt.number(value)},
    "cards": lambda value, fmt, _now_ms: {
        "cards": ngettext("{number} different card", "{number} different cards", value).format(number=fmt.number(value))
    },
    "waiting": lambda value, fmt, _now_ms: {
        "waiting": ngettext("{number} card waits", "{number} cards wait", value).format(number=fmt.number(value))
    },
    "receipts_lost": lambda value, fmt, _now_ms: {
        "receipts_lost": ngettext(
            "{number} receipt of since is not in these books",
            "{number} receipts of since are not in these books",
            value,
        ).format(number=fmt.number(value))
    },
    "after_s": lambda value, fmt, _now_ms: {"after": fmt.duration(value)},
}
"""How the numbers of `details` are written for people."""


def _devices(details: Mapping[str, Any]) -> str:
    """The two devices of one name: by what they said at their boots, else by their addresses."""
    if "devices" not in details:
        return str(details.get("addresses", "–"))
    return ", ".join(
        _("{model} with serial number {serial} at {address}").format(
            model=f"{one['vendor']} {one['model']}", serial=one["serial"] or "–", address=one["address"]
        )
        for one in details["devices"]
    )


def _reader(problem: Problem) -> ReaderState:
    """The state of a reader out of a problem's details; one that this release does not know counts as missing."""
    status, name, detail = (str(problem.details.get(key, "")) for key in ("status", "name", "detail"))
    return ReaderState(ReaderStatus(status) if status in set(ReaderStatus) else ReaderStatus.LOOKING, name, detail)


def _reader_words(problem: Problem, _fmt: Formats) -> dict[str, str]:
    words = card_desk.reader_words(_reader(problem))
    return {"reader": words.sentence, "remedy": words.advice}


def _printer_words(problem: Problem, _fmt: Formats) -> dict[str, str]:
    trouble, remedy = trouble_words(str(problem.details.get("why", "")))
    return {"trouble": trouble, "remedy": remedy}


def _review_words(problem: Problem, fmt: Formats) -> dict[str, str]:
    why = problem.details.get("why")
    told = [value for name in ("this_wh", "that_wh") if isinstance(value := problem.details.get(name), int)]
    return {"note": contradiction_sentence(str(why), [fmt.energy(one, 3) for one in told])} if why else {}


def _signed_words(problem: Problem, fmt: Formats) -> dict[str, str]:
    both = {"signed": problem.details.get("signed_wh"), "billed": problem.details.get("billed_wh")}
    return {name: fmt.energy(value, 3) for name, value in both.items() if isinstance(value, int)}


OWN_WORDS: dict[str, Callable[[Problem, Formats], dict[str, str]]] = {
    ProblemKind.SIGNED_ENERGY: _signed_words,
    ProblemKind.PRINTER: _printer_words,
    ProblemKind.READER: _reader_words,
    ProblemKind.FAULTED: lambda problem, _fmt: {
        "error": error_sentence(str(problem.details.get("error", ""))) or _("no code")
    },
    ProblemKind.NO_CONNECTORS: lambda problem, _fmt: {
        "why": "; ".join(_(TRIED[one]) for one in problem.details.get("tried", ()) if one in TRIED)
    },
    ProblemKind.UNWATCHED: lambda problem, _fmt: {"why": _(NOT_WATCHED.get(str(problem.details.get("why")), "–"))},
    ProblemKind.REFUSED_CHARGING: lambda problem, fmt: {
        "session": _plain(problem.details.get("session", "–")).translate(fmt.digits),
        "why": authorization_words(str(problem.details.get("status", ""))),
    },
    ProblemKind.DRAWER_OFF: lambda problem, _fmt: (
        {"who": _("{who}, who had taken it over from {before},").format(**problem.details)}
        if problem.details.get("before")
        else {}
    ),
    ProblemKind.DUPLICATE_IDENTITY: lambda problem, _fmt: {"devices": _devices(problem.details)},
    ProblemKind.REVIEW: _review_words,
    ProblemKind.MONEY_STOPPED: lambda problem, fmt: {
        "what": reconciling.in_short(problem.details.get("differences", ()), fmt)
    },
}
"""Kinds of whose details some are put into words, and not written as they are."""


def station_number(problem: Problem) -> int:
    """The station that a problem is about; 0 for none."""
    number = problem.details.get("station")
    if isinstance(number, int):
        return number
    kind, _colon, rest = problem.subject.partition(":")
    first = rest.split(":", maxsplit=1)[0]
    return int(first) if kind == "station" and first.isdecimal() else 0


def _href(problem: Problem, stations: Mapping[int, Named]) -> str:
    kind, _colon, rest = problem.subject.partition(":")
    if kind == "session" and rest.isdecimal():
        return f"/sessions/{rest}"
    if kind == "card" and rest.isdecimal():
        return f"/cards/{rest}"
    if kind == "shift":
        return f"/till/shifts/{rest}"
    if problem.kind == ProblemKind.READER:
        return "/desk"
    if problem.kind == ProblemKind.APPROVAL:
        return "/approvals"
    if problem.kind == ProblemKind.PRINTER:
        return "/settings?q=printer"
    if problem.kind in (ProblemKind.UNREAD_SETTING, ProblemKind.DISK_SPACE, ProblemKind.DISK_FULL):
        return "/settings"
    if problem.kind == ProblemKind.MONEY_STOPPED:
        return "/problems/money"
    if problem.kind == ProblemKind.NO_TARIFF:
        return "/tariffs"
    number = station_number(problem)
    if number not in stations:
        return ""
    path = f"/stations/{quote(stations[number].identity, safe='')}"
    return f"{path}/approve" if problem.kind == ProblemKind.KNOCKING else path


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
