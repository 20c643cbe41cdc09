"""Slips of our own pages, read for a printer of receipts: what stands on paper is what stands on the page, and is worded once."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Final

from appliance.domain.slip import Row, Slip, Style

PARAGRAPHS: Final = {"slip-site": Style.TITLE, "slip-word": Style.TITLE, "slip-amount": Style.AMOUNT}
"""By their classes; other paragraphs stand in the middle."""
PAIRS: Final = {"is-sum": Style.SUM, "slip-balance": Style.HEADING}
TO_FILL: Final = "_" * 14
"""What is filled in by hand."""
LISTS: Final = frozenset({"dl", "table", "tfoot"})
"""They stand between lines across the paper."""
INLINE: Final = frozenset({"tbody", "b", "time"})


def read_slips(html: str) -> list[Slip]:
    """Each `article.slip` of a page of ours.

    Raises:
        ValueError: One has something in it that paper cannot show.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.slips


class _Reader(HTMLParser):
    """Rows begin and end with paragraphs, headings, and pairs of a list or table."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.slips: list[Slip] = []
        self._rows: list[Row] | None = None
        """Of the slip that is being read; None outside of one."""
        self._is_report = False
        self._style = Style.MIDDLE
        self._more = Style.MIDDLE
        """Of lines below the first one of the same row."""
        self._left, self._right = "", ""
        self._is_right = False

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        classes = (dict(attrs).get("class") or "").split()
        if tag == "article" and "slip" in classes:
            self._rows, self._is_report = [], "is-report" in classes
        if self._rows is None or tag in INLINE or tag == "article":
            return
        if tag == "p":
            self._begin(next((PARAGRAPHS[one] for one in classes if one in PARAGRAPHS), Style.MIDDLE))
            self._more = self._style
            if "sign" in classes:
                self._style = Style.SIGN
        elif tag == "h2":
            self._begin(Style.HEADING if self._is_report else Style.MIDDLE)
        elif tag in LISTS:
            self._rule()
        elif tag in ("div", "tr"):
            self._begin(next((PAIRS[one] for one in classes if one in PAIRS), Style.PLAIN))
            self._more = Style.PLAIN
        elif tag in ("dt", "th", "dd", "td"):
            self._is_right = tag in ("dd", "td")
        elif tag == "br":
            self._add("\n")
        elif tag == "small":
            self._more = Style.SMALL
        elif tag == "span":
            self._add(TO_FILL if "to-fill" in classes else "")
        else:
            raise ValueError(f"A printer cannot show <{tag}>.")

    def handle_endtag(self, tag: str) -> None:
        if self._rows is None:
            return
        if tag in ("p", "h2", "div", "tr") or (tag == "span" and self._style is Style.SIGN):
            self._end()
        elif tag in ("dl", "table"):
            self._rule()
        elif tag == "article":
            self.slips.append(tuple(self._rows))
            self._rows = None

    def handle_data(self, data: str) -> None:
        if self._rows is not None:
            # Lines of the template are none of the slip.
            self._add(data.replace("\n", " "))

    def _begin(self, style: Style) -> None:
        self._style, self._left, self._right, self._is_right = style, "", "", False

    def _add(self, text: str) -> None:
        if self._is_right:
            self._right += text
        else:
            self._left += text

    def _end(self) -> None:
        """The first lines are one row, and what is below each of them follows."""
        assert self._rows is not None
        left, right = _lines(self._left), _lines(self._right)
        if left or right:
            self._rows.append(Row(self._style, "".join(left[:1]), "".join(right[:1])))
        self._rows += [Row(self._more, line) for line in left[1:]] + [Row(self._more, "", line) for line in right[1:]]
        self._left, self._right = "", ""

    def _rule(self) -> None:
        assert self._rows is not None
        if self._rows and self._rows[-1].style is not Style.RULE:
            self._rows.append(Row(Style.RULE))


def _lines(text: str) -> list[str]:
    return [words for line in text.split("\n") if (words := " ".join(line.split()))]
