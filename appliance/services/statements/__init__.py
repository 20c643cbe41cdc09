"""Statements: what happened to a wallet in a month, numbered when the month is over."""
