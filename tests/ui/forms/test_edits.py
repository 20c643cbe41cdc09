"""Of two people at one form none undoes what the other has changed, and nothing that was typed is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ui.forms import edits
from appliance.ui.forms.edits import SHOWN, Changed
from appliance.ui.forms.forms import Form

FIELDS = ("name", "phone", "note")
VALUES = st.fixed_dictionaries({name: st.sampled_from(["", "a", "b", "c"]) for name in FIELDS})


def typed(shown: dict[str, str], **changes: str) -> Form:
    """A form that showed this, as it comes back."""
    return Form({**edits.filled(shown).values, **changes})


@given(VALUES, VALUES, VALUES)
def test_each_field_is_whose_who_changed_it(
    shown: dict[str, str], mine: dict[str, str], theirs: dict[str, str]
) -> None:
    form = typed(shown, **mine)
    contested = {
        name for name in FIELDS if shown[name] not in (mine[name], theirs[name]) and mine[name] != theirs[name]
    }
    right = {name: mine[name] if mine[name] != shown[name] else theirs[name] for name in FIELDS}
    if not contested:
        assert dict(edits.merged(form, theirs).values) == right
        return
    with pytest.raises(Changed) as caught:
        edits.merged(form, theirs)
    assert caught.value.fields == contested
    again = edits.again(caught.value)
    assert {name: again.value(name) for name in FIELDS} == right
    # Saved again without another word, what was typed holds.
    assert dict(edits.merged(again, theirs).values) == right


@pytest.mark.parametrize("shown", ["", "{", "[]", "7", "[" * 300 + "]" * 300])
def test_a_form_that_does_not_say_what_it_showed_is_taken_at_its_word(shown: str) -> None:
    assert edits.merged(Form({"name": "b", SHOWN: shown}), {"name": "a"}).text("name") == "b"


def test_what_browsers_do_to_ends_of_lines_is_no_change() -> None:
    form = typed({"note": "one\ntwo"}, note="one\r\ntwo")

    assert edits.merged(form, {"note": "three"}).text("note") == "three"
