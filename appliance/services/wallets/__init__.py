"""Money at the desk: paid in, paid out, corrected, and the receipts for it."""
