"""A station that writes much spends its own room in the message log, and nobody else's."""

from __future__ import annotations

from appliance.db import housekeeping
from appliance.db.stations import message_log, message_log_size
from appliance.domain.identifiers import StationId
from tests.support.books import NOON_MS, Books


def write(books: Books, station: StationId, rows: int, chars: int = 1_000, at_ms: int = NOON_MS) -> None:
    for _ in range(rows):
        message_log.record(books.db, (station, at_ms, "in", "DataTransfer", "x" * chars, "{}", None))
    books.db.flush()


def counted(books: Books) -> dict[int, int]:
    while message_log_size.count(books.db, 7):
        pass
    return message_log_size.used_bytes(books.db)


def really(books: Books) -> dict[int, int]:
    return dict(
        books.db.execute(f"SELECT station_id, sum({message_log_size.SIZE}) FROM message_log GROUP BY station_id")
    )


def test_what_is_counted_is_what_is_there(books: Books) -> None:
    one, other = books.station("A"), books.station("B")
    write(books, one, 20)
    write(books, other, 3, at_ms=NOON_MS + 10)
    assert counted(books) == really(books)
    write(books, other, 10, at_ms=NOON_MS + 10)
    assert counted(books) == really(books)

    write(books, one, 1, at_ms=NOON_MS + 10)  # Not counted yet.
    assert housekeeping.forget_messages(books.db, NOON_MS + 5) == 20
    assert {key: value for key, value in counted(books).items() if value} == really(books)


def test_the_oldest_of_whoever_writes_much_go_and_nobody_elses(books: Books) -> None:
    loud, quiet = books.station("A"), books.station("B")
    for _ in range(10):
        write(books, loud, 10)
        write(books, quiet, 1)
    before = counted(books)
    newest = books.db.execute("SELECT max(id) FROM message_log WHERE station_id = ?", (loud,)).fetchone()[0]
    while message_log_size.trim(books.db, loud, before[loud] // 4, 16):
        pass

    after = really(books)
    assert after[quiet] == before[quiet]
    assert before[loud] // 4 - 2_000 < after[loud] <= before[loud] // 4
    assert after == message_log_size.used_bytes(books.db)
    left = [row[0] for row in books.db.execute("SELECT id FROM message_log WHERE station_id = ? ORDER BY id", (loud,))]
    assert left[-1] == newest
    assert not message_log_size.trim(books.db, quiet, before[quiet])

    # And again, from where it ended.
    write(books, loud, 30)
    counted(books)
    while message_log_size.trim(books.db, loud, before[loud] // 4, 16):
        pass
    assert really(books)[loud] <= before[loud] // 4


def test_numbers_that_come_again_are_counted_again(books: Books) -> None:
    station = books.station()
    write(books, station, 10)
    counted(books)
    books.db.execute("DELETE FROM message_log")
    write(books, station, 3)

    assert counted(books) == really(books)
