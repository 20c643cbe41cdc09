"""Prices that depend on the hour, the day, the amount, the time or the power: a tariff as a list of lines.

Read `lines` (what a tariff is), `wall_clock` (which lines may hold at a moment of the site's local time), `reckoning` (what a session
costs by them), `checks` (which lists are refused) and `ocpi` (the same in OCPI 2.2.1). All of it is pure. The flat tariff of
`domain/tariff.py` is the case without conditions, and costs the same by either.
"""
