"""Which language the reader of this request has: catalogs, and `_` for every sentence people read.

The language is chosen once per request (`speak`) and holds for everything that request does, so that neither
views nor templates pass it around. How numbers and times are written is in `formats`.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path
from unicodedata import bidirectional

from babel import Locale
from babel.support import Translations

from appliance.domain import site

LOCALES = Path(__file__).parents[1] / "locales"
LANGUAGES = {code: str(Locale.parse(code).language_name) for code in site.LANGUAGES}
"""Languages that are complete, by their own names."""
DEFAULT = "en"
RIGHT_TO_LEFT = frozenset({"R", "AL", "RLE", "RLO", "RLI"})
"""Classes of letters, and of marks that somebody may have put into a name."""

_current: ContextVar[str] = ContextVar("language", default=DEFAULT)


def N_(sentence: str) -> str:  # noqa: N802 - the name that gettext tools look for
    """Mark a sentence that stands in a table; it is looked up with `_` where it is shown."""
    return sentence


Plural = tuple[str, str]
"""A sentence about a number of things, in English: for one of them, and for several."""


def nN_(one: str, many: str) -> Plural:  # noqa: N802 - beside `N_`
    """Mark a sentence that stands in a table and has a number in it; it is looked up with `ngettext` where it is shown."""
    return one, many


class Sentence(str):
    """One that keeps what is filled in apart: a name that is written from right to left turns nothing around it."""

    __slots__ = ()

    def format(self, *values: object, **named: object) -> str:
        """As of every text; what runs the other way stands between marks that isolate it (UAX 9: FSI, PDI)."""
        return super().format(*map(isolated, values), **{name: isolated(value) for name, value in named.items()})


def isolated(value: object) -> object:
    """A text with letters that run from right to left, between marks; everything else as it is."""
    if type(value) is not str or value.isascii():
        return value
    return f"\u2068{value}\u2069" if any(bidirectional(letter) in RIGHT_TO_LEFT for letter in value) else value


def _(sentence: str) -> str:
    """The sentence in the reader's language."""
    return _looked_up(_current.get(), sentence) if sentence else ""


@lru_cache(maxsize=4096)
def _looked_up(language: str, sentence: str) -> str:
    """Remembered, because a board asks for the same few words a thousand times."""
    return Sentence(catalog(language).gettext(sentence))


def ngettext(one: str, many: str, number: int) -> str:
    """The sentence for `number` things in the reader's language."""
    return Sentence(catalog(_current.get()).ngettext(one, many, number))


def speak(language: str) -> None:
    """From here on this request speaks `language`."""
    _current.set(language if language in LANGUAGES else DEFAULT)


def spoken() -> str:
    """The language of this request."""
    return _current.get()


def preferred(accept_language: str) -> str | None:
    """The first language of the header that we speak, by its weights; None if there is none."""
    preferences: list[tuple[float, str]] = []
    for item in accept_language[:500].split(","):
        tag, _semicolon, weight = item.strip().partition(";q=")
        try:
            preferences.append((-float(weight or 1), tag[:2].lower()))
        except ValueError:
            continue
    return next((tag for _weight, tag in sorted(preferences, key=lambda one: one[0]) if tag in LANGUAGES), None)


@lru_cache(maxsize=16)
def catalog(language: str) -> NullTranslations:
    """The compiled catalog; where there is none, sentences stay as they are."""
    return Translations.load(LOCALES, [language])


@lru_cache(maxsize=16)
def direction(language: str) -> str:
    """`ltr` or `rtl`."""
    return str(Locale.parse(language).text_direction)
