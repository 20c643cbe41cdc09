"""How amounts, energies, powers and times are written for a reader: their digits, their separators, the site's zone.

A board shows a thousand numbers, so the patterns of the CLDR are taken apart once per language and what remains per
number is integer arithmetic. What is typed is read by `domain.money` and `int`, which know all digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, localedata
from babel.core import get_global
from babel.dates import format_date
from babel.numbers import get_currency_symbol, get_decimal_symbol, get_group_symbol

from appliance.domain.digits import NATIVE
from appliance.domain.errors import Refusal
from appliance.domain.pricing.coverage import WeekHours
from appliance.domain.site import LANGUAGES
from appliance.ui.frame.language import _, ngettext, spoken

MINUS = "\N{MINUS SIGN}"
LOCALE_OF = {"en": "en_GB"}
"""The day stands before the month nearly everywhere that English is a second language."""

localedata.locale_identifiers()  # Listed once, when the program starts: no page waits for the disk.
LOCALES = {code: Locale.parse(LOCALE_OF.get(code, code)) for code in LANGUAGES}
"""Whose ways a language has."""


@dataclass(frozen=True, slots=True)
class Numerals:
    """How a language writes numbers, whatever they count."""

    digits: dict[int, str]
    decimal: str
    group: str
    grouping: tuple[int, int]

    def number(self, value: int, decimals: int = 0) -> str:
        """An integer that counts units of 10**-decimals: `number(123456, 2)` is `1,234.56`."""
        text = str(abs(value)).rjust(decimals + 1, "0")
        whole, fraction = (text[:-decimals], text[-decimals:]) if decimals else (text, "")
        last, others = self.grouping
        if len(whole) > last:
            parts, head = [whole[-last:]], whole[:-last]
            while head:
                parts.append(head[-others:])
                head = head[:-others]
            whole = self.group.join(reversed(parts))
        if fraction:
            whole = f"{whole}{self.decimal}{fraction}"
        return (MINUS if value < 0 else "") + whole.translate(self.digits)


@dataclass(frozen=True, slots=True)
class Formats(Numerals):
    """The ways of one language at one site."""

    before_money: str
    after_money: str
    exponent: int
    zone: ZoneInfo
    locale: Locale

    def money(self, minor: int) -> str:
        """With the currency's sign."""
        sign = MINUS if minor < 0 else ""
        return f"{sign}{self.before_money}{self.number(abs(minor), self.exponent)}{self.after_money}"

    def price(self, milli: int) -> str:
        """A price in thousandths of a minor unit, with no more digits than it needs."""
        decimals = self.exponent + 3
        while decimals > self.exponent and milli % 10 == 0:
            milli, decimals = milli // 10, decimals - 1
        return f"{self.before_money}{self.number(milli, decimals)}{self.after_money}"

    def money_short(self, minor: int) -> str:
        """Without the minor unit, for large figures."""
        scale = 10**self.exponent
        return f"{self.before_money}{self.number((minor + scale // 2) // scale)}{self.after_money}"

    def energy(self, wh: int, decimals: int = 2) -> str:
        """Kilowatt-hours, without the unit."""
        return self.number(_scaled(wh, 3 - decimals), decimals)

    def power(self, w: int, decimals: int = 1) -> str:
        """Kilowatts, without the unit."""
        return self.number(_scaled(w, 3 - decimals), decimals)

    def duration(self, seconds: int) -> str:
        """As people say it: `1 h 42 min`."""
        minutes = seconds // 60
        if minutes < 1:
            return _("{seconds} s").format(seconds=self.number(max(0, seconds)))
        if minutes < 60:
            return _("{minutes} min").format(minutes=self.number(minutes))
        if minutes < 2 * 24 * 60 and minutes % 60 == 0:
            return _("{hours} h").format(hours=self.number(minutes // 60))
        if minutes < 2 * 24 * 60:
            return _("{hours} h {minutes} min").format(
                hours=self.number(minutes // 60), minutes=self.number(minutes % 60)
            )
        days = minutes // (24 * 60)
        return ngettext("{days} day", "{days} days", days).format(days=self.number(days))

    def time(self, at_ms: int) -> str:
        """Hours and minutes, on the site's clock."""
        return f"{self._local(at_ms):%H:%M}".translate(self.digits)

    def seconds(self, at_ms: int) -> str:
        """Hours, minutes, seconds, on the site's clock."""
        return f"{self._local(at_ms):%H:%M:%S}".translate(self.digits)

    def day(self, at_ms: int) -> str:
        """`22 Nov 2026`."""
        return format_date(self._local(at_ms).date(), "medium", locale=self.locale).translate(self.digits)

    def weekday(self, at_ms: int) -> str:
        """`Sunday, 22 November 2026`."""
        return format_date(self._local(at_ms).date(), "full", locale=self.locale).translate(self.digits)

    def when(self, at_ms: int, now_ms: int) -> str:
        """The time for today, `yesterday 14:06`, else the day and the time."""
        then, today = self._local(at_ms).date(), self._local(now_ms).date()
        if then == today:
            return self.time(at_ms)
        if then == today - timedelta(days=1):
            return _("yesterday {time}").format(time=self.time(at_ms))
        return f"{self.day(at_ms)}, {self.time(at_ms)}"

    def ago(self, at_ms: int, now_ms: int) -> str:
        """`3 min ago`."""
        return _("{duration} ago").format(duration=self.duration(max(0, (now_ms - at_ms) // 1000)))

    def iso(self, at_ms: int) -> str:
        """For the `datetime` attribute of `<time>`."""
        return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, self.zone)


def formats(currency: str, exponent: int, zone: ZoneInfo) -> Formats:
    """The ways of this request's language."""
    return _formats(spoken(), currency, exponent, zone)


@lru_cache(maxsize=32)
def _formats(language: str, currency: str, exponent: int, zone: ZoneInfo) -> Formats:
    locale, numerals = LOCALES[language], numerals_of(language)
    pattern = locale.currency_formats["standard"]
    symbol = currency_symbol(currency, language)
    before, after = (part.replace("¤", symbol).replace("'", "") for part in (pattern.prefix[0], pattern.suffix[0]))
    if before and before[-1].isalpha():
        before += "\N{NO-BREAK SPACE}"
    return Formats(
        digits=numerals.digits,
        decimal=numerals.decimal,
        group=numerals.group,
        grouping=numerals.grouping,
        before_money=before,
        after_money=after,
        exponent=exponent,
        zone=zone,
        locale=locale,
    )


@lru_cache(maxsize=16)
def numerals_of(language: str) -> Numerals:
    """How this language writes numbers."""
    locale = LOCALES[language]
    system, grouping = locale.default_numbering_system, locale.decimal_formats[None].grouping
    return Numerals(
        digits=NATIVE.get(system, {}),
        decimal=get_decimal_symbol(locale, numbering_system=system),
        group=get_group_symbol(locale, numbering_system=system),
        grouping=(grouping[0], grouping[1]),
    )


for _language in LANGUAGES:
    numerals_of(_language)  # Read when the program starts.


def sentences(error: Refusal) -> tuple[str, str]:
    """What a refusal says and advises, in the reader's language, with its numbers in their digits.

    The API says the same: translated sentences have digits of their own in them, so that others beside them would be a mixture
    of scripts. A program looks at `type` and `field`; what it needs as a number is in the OpenAPI document. What is text among
    the values (a name, an identity, a UID, what was typed) stays as it is.
    """
    message, advice = _(error.message), _(error.advice)
    if error.values:
        values = {name: _as_written(value) for name, value in error.values.items()}
        message, advice = message.format(**values), advice.format(**values)
    return message, advice


def _as_written(value: object) -> object:
    """A value of a sentence, as its reader writes it."""
    numerals = numerals_of(spoken())
    if type(value) is int:
        return numerals.number(value)
    if isinstance(value, WeekHours):
        return value.in_words(day_names(spoken())).translate(numerals.digits)
    return value


def day_names(language: str) -> list[str]:
    """Short, Monday first."""
    names = LOCALES[language].days["format"]["abbreviated"]
    return [names[day] for day in range(7)]


def currency_symbol(currency: str, language: str) -> str:
    """The sign that the reader's language has for it, else the sign used where the currency is used."""
    symbol = str(get_currency_symbol(currency, language))
    if symbol != currency:
        return symbol
    at_home = [
        territory
        for territory, currencies in get_global("territory_currencies").items()
        if currencies and currencies[-1][0] == currency and currencies[-1][2] is None
    ]
    if len(at_home) == 1:
        local = str(get_currency_symbol(currency, Locale.parse(f"und_{at_home[0]}")))
        # Signs of one character stand in any text; abbreviations in another script do not.
        return local if len(local) == 1 else symbol
    return symbol


def _scaled(value: int, digits: int) -> int:
    """Without its last `digits` digits, rounded half up."""
    scale = int(10**digits)
    return value if scale <= 1 else (value + scale // 2) // scale
