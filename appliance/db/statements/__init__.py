"""Statements of a month as rows, and what they are made from."""
