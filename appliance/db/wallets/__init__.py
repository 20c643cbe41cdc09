"""Money over the desk as rows: receipts, and what happened to a wallet."""
