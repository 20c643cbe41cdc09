"""Two people at one form: only what somebody has changed is written, and what both have changed is said, not lost.

A form that changes what stands carries what it showed (`SHOWN`). The unit that stores it compares the three: what was shown, what
was typed, and what stands now.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from appliance.domain.errors import Conflict
from appliance.services.foreign_json import read_json
from appliance.ui.forms.forms import Form
from appliance.ui.frame.language import N_, _

SHOWN = "shown"
"""The field with what the form showed, as JSON. A form without it was shown what stands now."""

Values = Mapping[str, str]


class Changed(Conflict):
    """Somebody else has changed the same fields to something else since the form was shown."""

    def __init__(self, form: Form, now: Values, fields: frozenset[str]) -> None:
        super().__init__(
            N_("Somebody else has changed this in the meantime. Nothing of yours is stored yet."),
            N_("Look at what you both changed, and save again: then yours holds."),
        )
        self.form = form
        """What would be stored if theirs did not count: what both have changed as it was typed here, all else as it stands."""
        self.now = now
        self.fields = fields


def filled(values: Values) -> Form:
    """The form that shows `values`, and says so when it comes back."""
    return Form({**values, SHOWN: _written(values)})


def merged(form: Form, now: Values) -> Form:
    """What is to be stored: what was typed where that differs from what was shown, and what stands `now` everywhere else.

    Raises:
        Changed: Somebody else has changed what was typed here, to something else.
    """
    shown = _read_shown(form, now)
    names = {*now, *shown, *form.values} - {SHOWN}
    typed = {name for name in names if _plain(form.value(name)) != _plain(shown.get(name, ""))}
    others = {name for name in names if _plain(now.get(name, "")) != _plain(shown.get(name, ""))}
    both = {name for name in typed & others if _plain(form.value(name)) != _plain(now.get(name, ""))}
    values = {name: form.value(name) if name in typed else now.get(name, "") for name in names}
    if both:
        raise Changed(Form({**values, SHOWN: _written(now)}), now, frozenset(both))
    return Form(values)


def need_unchanged(form: Form, now: Values) -> None:
    """For a form of which one half makes no sense without the other: all of what it showed must stand as it did.

    Raises:
        Changed: Somebody else has changed something of it since.
    """
    shown = _read_shown(form, now)
    others = {name for name in now if _plain(now[name]) != _plain(shown.get(name, ""))}
    if others:
        raise Changed(Form({**form.values, SHOWN: _written(now)}), now, frozenset(others))


def again(changed: Changed, words: Mapping[str, Values] | None = None) -> Form:
    """The form with what was typed, and beside each field what stands there now. `words`: how the values of a choice are called."""
    form = changed.form
    for name in sorted(changed.fields):
        now = changed.now.get(name, "")
        said = (words or {}).get(name, {}).get(now, now)
        form = form.wrong(
            name,
            _("In the meantime it has become “{now}”.").format(now=said)
            if said
            else _("In the meantime it was emptied."),
        )
    return form.refused(changed)


def _read_shown(form: Form, now: Values) -> Values:
    try:
        shown = read_json(form.value(SHOWN))
    except ValueError:
        return now
    return {str(name): str(value) for name, value in shown.items()} if isinstance(shown, dict) else now


def _written(values: Values) -> str:
    return orjson.dumps(dict(values)).decode()


def _plain(text: str) -> str:
    """Without what browsers add: blanks around it, and their own ends of lines."""
    return "\n".join(text.strip().splitlines())
