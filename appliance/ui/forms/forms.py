"""A form as it was sent: its values, and what was wrong with them, so that it comes back filled.

A view reads the form, tries, and on a refusal shows its page again with `form.refused(error)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

from aiohttp import web

from appliance.domain.errors import Invalid, Refusal
from appliance.services.idempotency import KeyReused
from appliance.ui.forms.bodies import TooLarge, read_body
from appliance.ui.frame.language import N_
from appliance.ui.writing.formats import sentences

VALUE_CHARS_MAX = 20_000
FIELDS_MAX = 1000
NUMBER_MAX = 2**63 - 1
"""The greatest number of a row, and of anything else that is stored."""
NUMBER_CHARS_MAX = len(str(-NUMBER_MAX))


@dataclass(frozen=True, slots=True)
class Form:
    """Values by name; an empty one stands for a form nobody has sent yet."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    """Sentences by field; under "" those that belong to no field."""
    places: Sequence[tuple[str, str]] = ()
    """Where what stands in the way can be looked at: address and word."""

    def value(self, name: str, default: str = "") -> str:
        """What was typed, else the default."""
        return self.values.get(name, default)

    def text(self, name: str) -> str:
        """What was typed, without blanks around it; "" if nothing was."""
        return self.values.get(name, "").strip()

    def number(self, name: str) -> int:
        """A whole number, in any digits.

        Raises:
            Invalid: It is none, or one that nothing counts up to.
        """
        number = read_number(self.text(name), least=-NUMBER_MAX)
        if number is None:
            raise Invalid(name, N_("Enter a whole number."))
        return number

    def on(self, name: str) -> bool:
        """Whether a box was ticked."""
        return self.values.get(name) in ("1", "on")

    def error(self, name: str) -> str:
        """What was wrong with a field; "" if nothing was."""
        return self.errors.get(name, "")

    def refused(self, refusal: Refusal) -> Form:
        """The same form with what was wrong."""
        message, advice = sentences(for_people(refusal))
        where = refusal.field if isinstance(refusal, Invalid) else ""
        return self.wrong(where, " ".join(filter(None, (message, advice))))

    def wrong(self, name: str, sentence: str) -> Form:
        """The same form with a sentence at a field; "" for none of them."""
        return replace(self, errors={**self.errors, name: sentence})


def for_people(refusal: Refusal) -> Refusal:
    """The same refusal, without a word about keys: whoever sends a form has never seen one."""
    if not isinstance(refusal, KeyReused):
        return refusal
    return Refusal(
        N_("This form was sent before with other figures, and was booked then. Nothing was booked now."),
        N_("Look at the records first. If this is meant in addition, send it again."),
    )


async def read_form(request: web.Request, fields_max: int = FIELDS_MAX) -> Form:
    """What was sent, in UTF-8 as by all our pages. Of a repeated name the last value counts.

    Raises:
        TooLarge, TooSlow, Broken: It is more than a form, or did not come whole.
    """
    body = await read_body(request)
    if request.content_type != "application/x-www-form-urlencoded":
        return Form()
    try:
        posted = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=fields_max)
    except ValueError:
        raise TooLarge(N_("A form has at most {most} fields."), most=fields_max) from None
    # A NUL ends a text for the database and for nobody else: no field means one.
    return Form({name: value.replace("\0", "")[:VALUE_CHARS_MAX] for name, value in posted})


def read_number(text: str, *, least: int = 0, most: int = NUMBER_MAX) -> int | None:
    """The whole number that a text is, in any digits; None for what is none, and for one out of bounds."""
    text = text.strip()
    if not text.removeprefix("-").isdecimal() or len(text) > NUMBER_CHARS_MAX:
        return None
    number = int(text)
    return number if least <= number <= most else None


def number_of(request: web.Request, name: str, *, most: int = NUMBER_MAX) -> int:
    """A number out of the path; anything else is no page of ours."""
    number = read_number(request.match_info[name], most=most)
    if number is None:
        raise web.HTTPNotFound
    return number
