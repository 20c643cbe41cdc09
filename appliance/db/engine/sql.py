"""Pieces of SQL that are put together when they run."""

from __future__ import annotations

from collections.abc import Sized


def marks(values: Sized) -> str:
    """What stands between the brackets of `IN ( )`, a mark for each value.

    For no values it is NULL, which nothing is IN: empty brackets are SQLite's alone. (Nothing is NOT IN it either.)
    """
    return ", ".join("?" * len(values)) or "NULL"
