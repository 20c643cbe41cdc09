"""What the site does: one use case, one function. A unit of work takes the writing connection first and is synchronous."""
