"""Whether the books are as they were kept: everything is reckoned anew, and compared with what was anchored before.

What nobody can find is said, too (`CANNOT_BE_FOUND`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from appliance.db import audit, ledger, reports
from appliance.db.engine import schema
from appliance.db.engine.errors import DatabaseError
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.integrity import anchors, counts, figures, history
from appliance.db.integrity.anchors import Anchor
from appliance.domain.by import By
from appliance.services import audit as record
from appliance.services.ports.anchors import Anchors, AnchorsChanged, Kept

CLOCK = "clock"
CANNOT_BE_FOUND = tuple(
    """\
Money that somebody adds with a ledger row, a receipt and a row in the audit list, all as the server itself would: that is what a top-up \
at the desk looks like. Count the drawer.
What was added since the last anchor (up to ten minutes) and taken out again: nothing remembers it.
What was changed in a row (an operator, a card, a charger, a price) that staff have changed themselves since the last night that found all well: \
look in the audit list whether it is what they did.
What was changed in a session that runs, but for who pays for it by which prices, where it began, and its readings; or in one that has ended \
since the last night that found all well, where its bill and its days stay the same. Readings of a session that is over, where others have come \
to it since. Messages, statuses of chargers and when somebody was seen last: they are work in hand, and are forgotten in time.
That the file anchors and all anchors in the books were taken out, by whoever also writes into the audit list that the books were accepted or \
restored, and chains it anew: the journal has the old ones.
Anything, by whoever has the file sealing.key, too, and writes the anchors anew. The journal has the old ones, and so has every older \
backup: journalctl -u forecourt -o cat | forecourt verify --journal -
""".splitlines()
)
"""What no program can find, and why."""


def verify(db: Readable, kept_by: Anchors | None, now_ms: int) -> list[str]:
    """What is wrong with the books; [] when all is well. A read query, for the night or a command: it reads everything."""
    # Read before the books are: these are written first, so they are never behind what is kept beside them.
    try:
        kept, foreign = kept_by.load() if kept_by is not None else None, False
    except AnchorsChanged:
        kept, foreign = None, True
    key = kept_by.key if kept_by is not None else None
    wrong = schema.differences(db)
    for check in (ledger.verify, reports.unequal_sums, _broken_list, _figures, partial(anchors.all_broken, key=key)):
        wrong += _readable(check, db)
    if foreign:
        wrong.append("the anchors beside the database are not this site's")
    elif key is not None:
        wrong += _readable(partial(_against_kept, kept=kept, key=key, now_ms=now_ms), db)
    return wrong


def _readable(check: Callable[[Readable], list[str]], db: Readable) -> list[str]:
    """What a check finds; where a table is gone, or a text is none that we wrote, it says that, and the others are made all the same."""
    try:
        return check(db)
    except (DatabaseError, ValueError, LookupError, TypeError, ArithmeticError) as error:
        return [f"the books cannot be read: {error}"]


def _broken_list(db: Readable) -> list[str]:
    broken = audit.broken_at(db)
    return [] if broken is None else [f"the chain of the audit list breaks at row {broken}"]


def _figures(db: Readable) -> list[str]:
    taken = figures.accepted(db)
    return [sentence for sentence in figures.wrong_figures(db) if sentence not in taken]


def _against_kept(db: Readable, kept: Kept | None, key: bytes, now_ms: int) -> list[str]:
    newest = anchors.newest(db)
    if kept is None:
        return [] if anchors.begin_anew(db) else ["the anchors beside the database are gone"]
    wrong = anchors.broken(db, kept.anchor)
    if newest is None or newest.at_ms < kept.anchor.at_ms:
        wrong.append("anchors were taken out of the database")
    now = anchors.of_rows(db, key)
    return wrong + anchors.unexplained(db, key, kept.seals, now, kept.sealed_seq, kept.sealed_at_ms, now_ms)


def against_journal(db: Readable, key: bytes, lines: list[str]) -> list[str]:
    """What the anchors in a journal say that the books do not; lines without one are skipped."""
    found, wrong = 0, []
    for line in lines:
        _before, mark, rest = line.partition("anchor=")
        if not mark:
            continue
        try:
            anchor = Anchor.read(rest.split()[0].strip('"'))
        except (ValueError, IndexError):
            continue
        found += 1
        if not anchor.is_made_with(key):
            wrong.append(f"the anchor of {anchor.at_ms} in the journal was not made by this site")
        else:
            wrong += anchors.broken(db, anchor)
    return list(dict.fromkeys(wrong)) if found else ["there is no anchor in this journal"]


def begin(db: Database, key: bytes, now_ms: int) -> Anchor:
    """The first anchor, until it lies beside the books (`anchors.lies_beside`). That it begins here is on record, so that nobody takes all of
    them out and calls the site new.
    """
    record.record(db, By(CLOCK, now_ms), "site.anchor", "site")
    return anchors.first(db, key, now_ms)


def reseal(db: Readable, kept_by: Anchors, anchor: Anchor) -> Kept:
    """All was found well, or is taken for right: what is compared with from now on."""
    return Kept(anchor, anchors.seals(db, kept_by.key, anchor.at_ms), anchor.at_ms, anchor.audit_seq)


def moved_on(db: Readable, key: bytes, kept: Kept, anchor: Anchor) -> Kept:
    """A newer anchor, with the seals as they were, those of what has begun since, and what only rises as it is."""
    risen = counts.risen(kept.seals, counts.counts(db))
    return replace(kept, anchor=anchor, seals={**history.begun(db, key), **kept.seals, **risen})
