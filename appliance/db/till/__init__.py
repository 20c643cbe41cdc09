"""The till as rows: shifts, and what moved in and out of their drawers."""
