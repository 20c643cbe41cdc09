"""Where stations knock: who it is, whether it may come in, and in which version it speaks."""
