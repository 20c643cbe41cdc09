"""Vouchers: the list, the batches and their sheets, and the till."""
