"""What is open, as conditions of a query: the same text wherever it is looked for.

Sessions that are open are a few, however many there were, and have indices of their own (`session_open…` in
migrations/0008_fewer_indices.sql). An index of some rows is taken only where its own condition stands in the query, word for word.
"""

IS_OPEN = "session.state IN ('requested', 'running')"
IS_LET_IN = f"{IS_OPEN} AND session.\"authorization\" = 'Accepted'"
"""Its station was not told that it may not charge: only then does it speak for its card."""
IS_REQUESTED = f"{IS_OPEN} AND session.state = 'requested'"
IS_RUNNING = f"{IS_OPEN} AND session.state = 'running'"
BY_NUMBER = "session.id + 0"
"""The order of what is open: it is found first and then sorted, for in the order of all numbers it would be looked for among all sessions."""
