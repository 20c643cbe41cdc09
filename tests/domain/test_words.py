"""What people type to find something: words, in whatever order."""

from __future__ import annotations

from appliance.domain.words import has_all


def test_all_words_must_be_there_in_whatever_order_and_case() -> None:
    assert has_all("CS-07 North Gate", "gate NORTH")
    assert has_all("CS-07 North Gate", "  07 ga ")
    assert has_all("উত্তর গেট", "গেট উত্তর")
    assert has_all("anything", "")
    assert not has_all("CS-07 North Gate", "gate south")
