"""The one tree of refusals that people read. What went wrong inside the program is an ordinary exception."""

from __future__ import annotations


class Refusal(Exception):
    """Something asked for cannot be done: what happened, to what, and what to do.

    `message` and `advice` are sentences in English with `{names}` for `values`; the edge that shows them looks the
    sentence up in the reader's language and fills in the values. They are marked for translation where they stand.
    """

    status = 409
    """What HTTP calls it."""

    def __init__(self, message: str, advice: str = "", **values: object) -> None:
        super().__init__(message.format(**values) if values else message)
        self.message = message
        self.advice = advice
        self.values = values

    @property
    def advice_in_full(self) -> str:
        """The advice with its values filled in, in English; the message is `str(refusal)`."""
        return self.advice.format(**self.values) if self.values else self.advice


class Invalid(Refusal):
    """A field cannot be read; `field` is its name in the form or the request."""

    status = 422

    def __init__(self, field: str, message: str, advice: str = "", **values: object) -> None:
        super().__init__(message, advice, **values)
        self.field = field


class NotFound(Refusal):
    """There is no such thing."""

    status = 404


class Conflict(Refusal):
    """It is there already, or its state does not allow this."""

    status = 409


class TooLittleMoney(Refusal):
    """The wallet cannot pay for this."""

    status = 409
