"""Prices that depend on the hour, the day, the amount, the time or the power: a tariff as a list of lines.

Read `lines` (what a tariff is), `wall_clock` (which lines may hold at a moment of the site's local time), `reckoning` (what a session
costs by them) and `checks` (which lists are refused). All of it is pure. The flat tariff of `domain/tariff.py` is the case without
conditions (`flat`), and costs the same by either. How programs write lines is in `ui/api/`, where OCPI is, too.
"""
