"""The till: the page of whoever takes money, and the shifts behind it."""
