"""What card desks are to do, as rows."""
