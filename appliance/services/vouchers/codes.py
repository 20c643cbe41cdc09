"""The codes of vouchers: made at random, known again by a hash, and whole only for a while and sealed.

Hash and seal are under the site's sealing key, which is not in the books: whoever has their file, or a backup, has no code.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from appliance.domain import paper_code
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.voucher import CODE_CHARS, COUNT_MAX, read_number
from appliance.services.ports.vault import CannotOpen, Vault

PURPOSE = "voucher"


class KeyIsMissing(Refusal):
    """Without the site's sealing key no code can be made or known again."""

    status = 503


@dataclass(frozen=True, slots=True)
class Printed:
    """The codes of a batch as the books keep them."""

    hashes: tuple[bytes, ...]
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """The voucher that somebody names: by its code, or by its number, which proves nothing."""

    code_hash: bytes | None = None
    number: tuple[int, int] | None = None


def print_codes(vault: Vault | None, count: int) -> Printed:
    """New codes, as many as that.

    Raises:
        Invalid: They are none, or too many for a batch.
        KeyIsMissing: They could not be known again.
    """
    if not 1 <= count <= COUNT_MAX:
        raise Invalid("count", "Between {least} and {most}.", least=1, most=COUNT_MAX)
    key = need_vault(vault)
    codes = [new_code() for _ in range(count)]
    return Printed(tuple(code_hash(key, code) for code in codes), key.seal(PURPOSE, " ".join(codes).encode()))


def new_code() -> str:
    """One, as it is typed, without dashes."""
    body = "".join(secrets.choice(paper_code.ALPHABET) for _ in range(CODE_CHARS - 1))
    return paper_code.with_check(body)


def open_codes(vault: Vault | None, sealed: bytes) -> list[str]:
    """The codes of a batch, in the order of its numbers.

    Raises:
        KeyIsMissing: They were sealed under another key.
    """
    try:
        return need_vault(vault).open(PURPOSE, sealed).decode().split(" ")
    except CannotOpen:
        raise key_is_missing() from None


def read(vault: Vault | None, text: str) -> Asked:
    """The voucher that a text names, by its code or its number.

    Raises:
        Invalid: It is neither; a slip of the finger in a code is told without asking the books.
        KeyIsMissing: It is a code, and no code is known here.
    """
    number = read_number(text)
    return Asked(number=number) if number is not None else read_code(vault, text)


def read_code(vault: Vault | None, text: str) -> Asked:
    """The same, where a number is not enough."""
    if read_number(text) is not None:
        raise Invalid(
            "code", "This is the number of a voucher, which proves nothing.", "Type the code that stands beneath."
        )
    return Asked(code_hash(need_vault(vault), paper_code.read(text, CODE_CHARS)))


def code_hash(vault: Vault, code: str) -> bytes:
    """What is kept of a code."""
    return vault.digest(PURPOSE, code.encode())


def need_vault(vault: Vault | None) -> Vault:
    """The vault, if there is one."""
    if vault is None:
        raise key_is_missing()
    return vault


def key_is_missing() -> KeyIsMissing:
    """The refusal."""
    return KeyIsMissing(
        "The codes of vouchers cannot be read: the site's sealing key is missing.",
        "Bring it back with the owner's words. Until then a manager can pay back a voucher by its number.",
    )
