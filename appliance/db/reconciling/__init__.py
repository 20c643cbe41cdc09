"""The ledger read row by row, and what must agree with it."""
