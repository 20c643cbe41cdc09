"""Money at the desk: the forms, and the receipts."""
