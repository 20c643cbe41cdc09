"""The till: who has which drawer, what must be in it, and what was counted."""
