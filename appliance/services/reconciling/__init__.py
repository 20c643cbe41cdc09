"""The money is reconciled, and stopped where it does not agree (docs/decisions/0028-money-that-does-not-agree.md)."""
