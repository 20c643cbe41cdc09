"""What people type to find something: words, in whatever order."""

from __future__ import annotations

from appliance.domain.words import folded, has_all, has_each, wanted


def test_all_words_must_be_there_in_whatever_order_and_case() -> None:
    assert has_all("CS-07 North Gate", "gate NORTH")
    assert has_all("CS-07 North Gate", "  07 ga ")
    assert has_all("উত্তর গেট", "গেট উত্তর")
    assert has_all("anything", "")
    assert not has_all("CS-07 North Gate", "gate south")


def test_accents_and_digits_of_other_scripts_make_no_difference() -> None:
    assert has_all("José Núñez, Ängel", "jose NUNEZ angel")
    assert has_all("Jose Nunez", "José Núñez")
    assert has_all("Jose\u0301", "josé")
    assert has_all("Bay 12", "bay ১২")
    assert has_all("বে ১২", "12 বে")
    assert has_all("Bay 12", "١٢")
    assert has_all("কোর্ট", "কোর্ট")
    assert not has_all("কোর্ট", "করট"), "the signs of Bengali are letters"


def test_what_was_typed_is_looked_for_as_it_was_where_anything_is_called_so() -> None:
    there = [folded("Gate 1"), folded("Bay 21, gate")]
    assert wanted(there, "Gate  1") == ("gate 1",)
    assert wanted(there, "gate bay") == ("gate", "bay")
    assert [has_each(one, wanted(there, "gate ২১")) for one in there] == [False, True]
