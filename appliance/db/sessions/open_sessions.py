"""What is open, as conditions of a query: the same text wherever it is looked for.

Sessions that are open are a few, however many there were, and have indices of their own (`session_open…` in
migrations/0004_flat_cost.sql). An index of some rows is taken only where its own condition stands in the query, word for word.
"""

OPEN = "session.state IN ('requested', 'running')"
REQUESTED = f"{OPEN} AND session.state = 'requested'"
RUNNING = f"{OPEN} AND session.state = 'running'"
