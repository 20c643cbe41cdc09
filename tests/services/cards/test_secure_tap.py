"""The links of taps: NXP's own example, links made with the keys of this site, and links that are opened twice."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from appliance.db.cards import cards
from appliance.domain.cards import content
from appliance.domain.identifiers import CardId
from appliance.services.cards import secure_tap
from tests.support.books import Books

SITE_KEY = bytes(range(32))
OTHER_SITE_KEY = bytes(range(1, 33))
UID = "04A1B2C3D4E580"


def test_example_of_the_application_note_is_read() -> None:
    # AN12196, 3.4.4: https://ntag.nxp.com/424?e=EF963FF7828658A599F3041510671E88&c=94EED9EE65337086, both keys zero.
    tap = secure_tap.hidden(bytes(16), "EF963FF7828658A599F3041510671E88")
    assert tap is not None
    assert tap == secure_tap.Tap("04DE5F1EACC040", 61)
    assert secure_tap.is_signed(bytes(16), tap, "94EED9EE65337086")


@pytest.mark.parametrize("cmac", ["94EED9EE65337087", "", "94EED9EE653370", "94EED9EE6533708600", "no hex at all …"])
def test_example_with_another_signature_is_refused(cmac: str) -> None:
    assert not secure_tap.is_signed(bytes(16), secure_tap.Tap("04DE5F1EACC040", 61), cmac)


def test_example_with_another_counter_is_refused() -> None:
    assert not secure_tap.is_signed(bytes(16), secure_tap.Tap("04DE5F1EACC040", 62), "94EED9EE65337086")


def test_tap_of_our_card_is_read() -> None:
    assert secure_tap.verify(SITE_KEY, *_link(7)) == secure_tap.Tap(UID, 7)


def test_digits_may_be_small() -> None:
    picc, cmac = _link(7)
    assert secure_tap.verify(SITE_KEY, picc.lower(), cmac.lower()) == secure_tap.Tap(UID, 7)


def test_tap_at_another_site_is_not_ours() -> None:
    assert secure_tap.verify(OTHER_SITE_KEY, *_link(7)) is None


def test_uid_hidden_by_one_card_and_signed_by_another_is_refused() -> None:
    (picc, _), (_, cmac) = _link(7), _link(7, uid="04A1B2C3D4E581")
    assert secure_tap.verify(SITE_KEY, picc, cmac) is None


@pytest.mark.parametrize("picc", ["", "00" * 16, "ZZ" * 16, "00" * 15, "00" * 17])
def test_what_no_card_has_hidden_is_nothing(picc: str) -> None:
    assert secure_tap.verify(SITE_KEY, picc, "00" * 8) is None


def test_opened_link_names_the_card_once(books: Books) -> None:
    card = books.card(UID, books.person())
    assert secure_tap.accept(books.db, SITE_KEY, *_link(3)) == card
    assert secure_tap.accept(books.db, SITE_KEY, *_link(3)) is None
    assert _counter(books, card) == 3


def test_counter_goes_only_upwards(books: Books) -> None:
    card = books.card(UID, books.person())
    assert secure_tap.accept(books.db, SITE_KEY, *_link(0)) == card
    assert secure_tap.accept(books.db, SITE_KEY, *_link(9)) == card
    assert secure_tap.accept(books.db, SITE_KEY, *_link(8)) is None
    assert secure_tap.accept(books.db, SITE_KEY, *_link(10)) == card


def test_each_card_counts_for_itself(books: Books) -> None:
    person = books.person()
    one, other = books.card(UID, person), books.card("04A1B2C3D4E581", person)
    assert secure_tap.accept(books.db, SITE_KEY, *_link(5)) == one
    assert secure_tap.accept(books.db, SITE_KEY, *_link(4, uid="04A1B2C3D4E581")) == other


def test_signed_link_of_a_card_that_is_not_in_the_books_names_nobody(books: Books) -> None:
    assert secure_tap.accept(books.db, SITE_KEY, *_link(5)) is None


def test_forged_link_does_not_move_the_counter(books: Books) -> None:
    card = books.card(UID, books.person())
    assert secure_tap.accept(books.db, SITE_KEY, _link(900)[0], "00" * 8) is None
    assert _counter(books, card) == -1
    assert cards.find(books.db, CardId(card)) is not None


def _link(counter: int, uid: str = UID) -> tuple[str, str]:
    """What a chip with the keys of the site puts into its link: AN12196, 3.3 and 3.4."""
    keys = content.keys(SITE_KEY, uid)
    named = bytes.fromhex(uid) + counter.to_bytes(3, "little")
    encryptor = Cipher(algorithms.AES(content.chip_key(keys, 2)), modes.CBC(bytes(16))).encryptor()
    picc = encryptor.update(b"\xc7" + named + b"noise") + encryptor.finalize()
    session = _cmac(content.chip_key(keys, 1), bytes.fromhex("3CC300010080") + named)
    return picc.hex().upper(), _cmac(session, b"")[1::2].hex().upper()


def _cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def _counter(books: Books, card: int) -> int:
    return int(books.db.execute("SELECT tap_counter FROM card WHERE id = ?", (card,)).fetchone()[0])
