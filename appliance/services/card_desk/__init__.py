"""The card desk: jobs for cards, and what is booked when a card is laid."""
