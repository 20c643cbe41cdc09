"""What every page and every call stands in: who asks, what they may, what becomes of errors, the frame of a page, and how it stays true."""
