"""One card, many ways to write it: what is the same, what is alike, and what typed text may mean."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appliance.domain.id_token import (
    is_random,
    likeness,
    masked,
    normal_form,
    readings,
    remote_token,
    reversed_form,
    stems,
)

UID = "04A1B2C3D4E580"
BACKWARDS = "80E5D4C3B2A104"
SEPARATORS = ("", ":", " ", "-", ".", "_")


def uids(*sizes: int) -> st.SearchStrategy[str]:
    """UIDs of so many bytes, in normal form."""
    return (
        st.sampled_from(sizes)
        .flatmap(lambda size: st.binary(min_size=size, max_size=size))
        .map(lambda found: found.hex().upper())
    )


def backwards(uid: str) -> str:
    return bytes.fromhex(uid)[::-1].hex().upper()


@given(uids(4, 7, 8, 10), st.sampled_from(SEPARATORS))
def test_a_uid_has_one_normal_form_however_its_bytes_are_separated(uid: str, separator: str) -> None:
    written = separator.join(uid[start : start + 2] for start in range(0, len(uid), 2)).lower()

    assert normal_form(f" {written}\0") == uid


@given(st.text(max_size=300))
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    assert normal_form(normal_form(text)) == normal_form(text)


@given(uids(4, 7, 8, 10))
def test_backwards_twice_is_the_uid_again(uid: str) -> None:
    once = reversed_form(uid)
    assert once is not None
    assert reversed_form(once) == uid


@pytest.mark.parametrize("token", ["", "FLEET-CAR-7", "04A1B2", "04A1B2C3D4E5", "REM0123456789ABC"])
def test_what_is_no_uid_has_no_backwards(token: str) -> None:
    assert reversed_form(token) is None


@pytest.mark.parametrize(
    ("token", "what"),
    [
        (BACKWARDS, "reversed"),
        ("04A1B2C3", "truncated"),
        ("C3D4E580", "truncated"),
        ("04A1B2C3D4E5", "truncated"),
        ("A1B2C3D4E580", "truncated"),
        ("80E5D4C3", "truncated"),
        ("04A1B2C3D4E50000", "truncated"),
        ("00" + UID, "padded"),
        (UID + "00", "padded"),
        ("00" + BACKWARDS, "padded"),
        (str(int(UID, 16)), "decimal"),
        (str(int(BACKWARDS, 16)).zfill(18), "decimal"),
        (str(int("C3D4E580", 16)).zfill(10), "truncated"),
        (UID, None),
        ("04A1B2C3D4E581", None),
        ("A1B2C3D4", None),
        ("04A1B2", None),
        ("", None),
        ("FLEET-CAR-7", None),
    ],
)
def test_what_chargers_make_of_a_uid_is_told_by_its_kind(token: str, what: str | None) -> None:
    assert likeness(token, UID) == what


@given(uids(4, 7, 8, 10), uids(4, 7, 8, 10))
def test_cards_that_share_no_four_bytes_at_an_end_are_not_alike(one: str, other: str) -> None:
    chunks = {part for uid in (other, backwards(other)) for part in (uid[:8], uid[-8:])}
    assume(not chunks & {one[:8], one[-8:]})
    assume("0000" not in one + other)
    if not one.isdecimal():
        assert likeness(one, other) is None


def forms(uid: str) -> list[str]:
    """What chargers are known to make of a UID."""
    found = []
    for order in (uid, backwards(uid)):
        parts = [order]
        if len(uid) == 14:
            parts += [order[:8], order[-8:], order[:12], order[-12:]]
        found += parts
        found += [part.rjust(16, "0") for part in parts] + [part.ljust(16, "0") for part in parts]
        found += [str(int(part, 16)).zfill(10) for part in (order, *parts)]
    return found


@given(uids(4, 7), st.data())
def test_everything_that_is_alike_is_found_by_its_stems(uid: str, data: st.DataObject) -> None:
    token = data.draw(st.sampled_from(forms(uid)))
    assume(token != uid)

    assert likeness(token, uid) is not None
    assert stems(token) & {uid[:8], uid[-8:]}


@given(uids(4, 7), st.sampled_from(SEPARATORS))
def test_a_uid_that_is_typed_in_hex_is_read_first(uid: str, separator: str) -> None:
    written = separator.join(uid[start : start + 2] for start in range(0, len(uid), 2)).lower()

    assert readings(written)[0] == uid


@given(uids(4, 7))
def test_a_decimal_number_is_read_in_both_orders(uid: str) -> None:
    digits = 10 if len(uid) == 8 else 17
    for number in (int(uid, 16), int(backwards(uid), 16)):
        assert uid in readings(str(number).zfill(digits))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("04:a1:b2:c3:d4:e5:80", UID),
        ("0077746627", "04A251C3"),
        (str(int(UID, 16)).zfill(17), UID),
        (str(int(BACKWARDS, 16)).zfill(17), UID),
        ("০০৭৭৭৪৬৬২৭", "04A251C3"),
        ("٠٠٧٧٧٤٦٦٢٧", "04A251C3"),
        ("àà&é\"'(-è_", "00BC614E"),
        ("à'Q&B2C\"D'E(_à", UID),
        ("00" + UID, UID),
        ("FLEET-car-7", "FLEET-CAR-7"),
    ],
)
def test_typed_text_is_read_as_what_it_most_likely_means(text: str, first: str) -> None:
    assert readings(text)[0] == first


@given(st.text(max_size=60))
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    found = readings(text)

    assert len(set(found)) == len(found)
    assert "" not in found
    assert not normal_form(text) or found


def test_a_uid_that_changes_at_every_tap_is_known_by_its_first_byte() -> None:
    assert is_random("08A1B2C3")
    assert not any(is_random(uid) for uid in ("04A1B2C3", "08A1B2C3D4E580", "08FLEET7", "08"))


def test_a_remote_token_fits_all_chargers_and_is_no_uid() -> None:
    token = remote_token()
    assert (len(token), reversed_form(token), normal_form(token)) == (16, None, token)


def test_only_the_end_of_a_card_number_is_shown() -> None:
    assert (masked(UID), masked("1234")) == ("••E580", "••")
