"""What slips look like in dots: nothing runs over the edge, nothing is lost, and every digit can be read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.domain.slip import Row, Style
from appliance.printer.raster import LETTERING, Raster, _length, _wrapped, draw

PAPERS = (576, 384)
TEXTS = st.text(st.sampled_from("aWgÉ0189৳·–রসিদক্ষুদ্রস্বত্বাধিকারী \u00a0\u202f\u200d"), max_size=24)


def grid(picture: Raster) -> list[list[bool]]:
    bits = f"{int.from_bytes(picture.data):0{len(picture.data) * 8}b}"
    return [[bit == "1" for bit in bits[at : at + picture.width]] for at in range(0, len(bits), picture.width)]


def holes(picture: Raster) -> int:
    """White that is shut in by black: what cannot be reached from the edge."""
    rows = grid(picture)
    seen = [[False] * picture.width for _row in rows]

    def flood(y: int, x: int) -> None:
        to_do = [(y, x)]
        while to_do:
            y, x = to_do.pop()
            if 0 <= y < len(rows) and 0 <= x < picture.width and not rows[y][x] and not seen[y][x]:
                seen[y][x] = True
                to_do += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]

    flood(len(rows) - 1, picture.width - 1)
    found = 0
    for y, row in enumerate(rows):
        for x, black in enumerate(row):
            if not black and not seen[y][x]:
                found += 1
                flood(y, x)
    return found


def ink(picture: Raster) -> int:
    return sum(map(sum, grid(picture)))


@pytest.mark.parametrize("style", LETTERING)
def test_the_loop_of_a_bengali_one_stays_open(style: Style) -> None:
    bare = holes(draw((Row(style),), 384))
    assert holes(draw((Row(style, "১১"),), 384)) - bare >= 2


@pytest.mark.parametrize("digits", ["0123456789", "০১২৩৪৫৬৭৮৯"])
@pytest.mark.parametrize("style", LETTERING)
def test_all_digits_differ_clearly(style: Style, digits: str) -> None:
    pictures = [grid(draw((Row(style, digit),), 384)) for digit in digits]
    for number, one in enumerate(pictures):
        for other in pictures[:number]:
            assert (
                sum(a != b for left, right in zip(one, other, strict=True) for a, b in zip(left, right, strict=True))
                > 12
            )


def test_bengali_is_shaped_and_not_set_sign_by_sign() -> None:
    # One conjunct of four signs, and the vowel sign that stands before its letter.
    together = ink(draw((Row(Style.AMOUNT, "ক্ষ্ম"),), 576))
    apart = ink(draw((Row(Style.AMOUNT, "ক\u200c্\u200cষ\u200c্\u200cম"),), 576))
    assert together < apart
    left, right = draw((Row(Style.AMOUNT, "কি"),), 576), draw((Row(Style.AMOUNT, "ক"),), 576)
    first = min(x for row in grid(left) for x, black in enumerate(row) if black)
    assert first < min(x for row in grid(right) for x, black in enumerate(row) if black)


@pytest.mark.parametrize("width", PAPERS)
def test_left_and_right_share_a_line_where_they_fit_and_else_stand_below_each_other(width: int) -> None:
    line = draw((Row(Style.PLAIN, "Name", "Rahima"),), width).height
    assert draw((Row(Style.PLAIN, "x"),), width).height == line
    assert draw((Row(Style.PLAIN, "n" * width, "Rahima"),), width).height > line * 2


UNRULED = [style for style in LETTERING if style not in (Style.SUM, Style.SIGN)]


@settings(deadline=None, max_examples=60)
@given(st.builds(Row, st.sampled_from(UNRULED), TEXTS, TEXTS), st.sampled_from(PAPERS))
def test_no_edge_cuts_anything_off(row: Row, width: int) -> None:
    picture, wider = draw((row,), width), draw((row,), width + 64)
    assert picture.width == width
    assert len(picture.data) == picture.height * width // 8
    if picture.height == draw((Row(row.style, "x"),), width).height:
        # All on one line: the same dots, wherever they stand.
        assert ink(picture) == ink(wider)


@settings(deadline=None, max_examples=40)
@given(st.text(st.sampled_from("aWgরসিদক্ষু"), min_size=1, max_size=200), st.sampled_from(PAPERS))
def test_a_word_that_is_too_long_is_broken_and_comes_out_whole(word: str, width: int) -> None:
    pieces = list(_wrapped(word, LETTERING[Style.PLAIN], width))
    assert "".join(pieces) == word
    assert all(_length(piece, LETTERING[Style.PLAIN]) <= width for piece in pieces)
