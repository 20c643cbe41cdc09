"""What can be wrong: the kinds of problems. What each says and advises is in the console's tables."""

from __future__ import annotations

from enum import StrEnum


class ProblemKind(StrEnum):
    """A kind of problem, as it is stored. A database may hold kinds of older releases."""

    KNOCKING = "knocking"
    OFFLINE = "offline"
    FAULTED = "faulted"
    CLOCK_SKEW = "clock_skew"
    SILENT_SESSION = "silent_session"
    REVIEW = "review"
    UNREADABLE = "unreadable"
    STRAY_STOP = "stray_stop"
    FOREIGN_TRANSACTION = "foreign_transaction"
    VIOLATION = "violation"
    WRONG_URL = "wrong_url"
    FOREIGN_PAGE = "foreign_page"
    DUPLICATE_IDENTITY = "duplicate_identity"
    STATION_ERROR = "station_error"
    DISK_SPACE = "disk_space"
    BACKUP_AGE = "backup_age"
    SECRETS = "secrets"
    OWNER_KEY_MISSING = "owner_key_missing"
    UNREAD_SETTING = "unread_setting"
    NO_TARIFF = "no_tariff"
    STOP_IGNORED = "stop_ignored"
    START_LOST = "start_lost"
    BOOKS = "books"
    JOB_FAILED = "job_failed"
    READER = "reader"
    TORN_CARD = "torn_card"
    CARD_COPY = "card_copy"
    CARD_TWICE = "card_twice"
    CARD_HOP = "card_hop"


ACKNOWLEDGED_BY_HAND = frozenset(
    {
        ProblemKind.REVIEW,
        ProblemKind.UNREADABLE,
        ProblemKind.STRAY_STOP,
        ProblemKind.FOREIGN_TRANSACTION,
        ProblemKind.VIOLATION,
        ProblemKind.WRONG_URL,
        ProblemKind.FOREIGN_PAGE,
        ProblemKind.DUPLICATE_IDENTITY,
        ProblemKind.STATION_ERROR,
        ProblemKind.START_LOST,
        ProblemKind.CARD_COPY,
        ProblemKind.CARD_TWICE,
        ProblemKind.CARD_HOP,
    }
)
"""Things that happened and do not go away by themselves; somebody says that they have looked."""
