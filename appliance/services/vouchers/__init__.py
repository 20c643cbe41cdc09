"""Vouchers: printed in batches, sold, redeemed; and what becomes of those that nobody uses."""
