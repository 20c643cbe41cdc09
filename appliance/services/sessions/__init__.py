"""The charge: who may begin one, what it costs while it runs, and how it ends."""
