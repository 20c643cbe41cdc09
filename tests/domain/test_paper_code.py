"""Codes on paper: however they are typed they are the same, and a slip of the finger is none of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain import paper_code
from appliance.domain.digits import NATIVE
from appliance.domain.errors import Invalid
from appliance.domain.paper_code import ALPHABET, LOOK_ALIKES

bodies = st.text(ALPHABET, min_size=1, max_size=27)
codes = bodies.map(paper_code.with_check)


@given(codes)
def test_a_code_is_read_as_it_was_printed(code: str) -> None:
    assert paper_code.read(paper_code.grouped(code), len(code)) == code


@given(codes, st.data())
def test_every_single_wrong_character_is_told(code: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from([one for one in ALPHABET if one != code[place]]))
    with pytest.raises(Invalid, match="not right"):
        paper_code.read(code[:place] + other + code[place + 1 :], len(code))


@given(codes, st.data())
def test_every_two_that_changed_places_are_told(code: str, data: st.DataObject) -> None:
    one, two = data.draw(st.integers(0, len(code) - 1)), data.draw(st.integers(0, len(code) - 1))
    swapped = list(code)
    swapped[one], swapped[two] = code[two], code[one]
    if "".join(swapped) == code:
        assert paper_code.read(code, len(code)) == code
    else:
        with pytest.raises(Invalid, match="not right"):
            paper_code.read("".join(swapped), len(code))


LOOKS_LIKE = {chr(was): chr(now) for was, now in LOOK_ALIKES.items()}


@given(codes, st.sampled_from(sorted(NATIVE)), st.sampled_from(["", " ", "-", "–", "\u00a0", "/"]), st.data())
def test_capitals_digits_of_other_scripts_and_what_stands_between_make_no_difference(
    code: str, system: str, between: str, data: st.DataObject
) -> None:
    assert paper_code.read(between.join(code.translate(NATIVE[system])), len(code)) == code
    assert paper_code.read(f"  {between.join(code.lower())} ", len(code)) == code
    misread = {now: was for was, now in LOOKS_LIKE.items()}
    typed = "".join(data.draw(st.sampled_from([one, misread.get(one, one)])) for one in code)
    assert paper_code.read(typed.lower(), len(code)) == code


@given(st.text(max_size=200), st.integers(1, 28))
def test_whatever_is_typed_is_a_code_of_that_length_or_refused(text: str, chars: int) -> None:
    try:
        found = paper_code.read(text, chars)
    except Invalid:
        return
    assert len(found) == chars
    assert set(found) <= set(ALPHABET)
    assert paper_code.with_check(found[:-1]) == found


def test_every_latin_letter_and_digit_is_read_as_one_of_the_alphabet() -> None:
    assert len(set(ALPHABET)) == 29
    everything = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert {paper_code.bare(one) for one in everything} == set(ALPHABET)
    assert not set(LOOKS_LIKE) & set(ALPHABET)


def test_it_is_printed_in_groups() -> None:
    assert paper_code.grouped("K7QM2XDP9RT4") == "K7QM-2XDP-9RT4"
