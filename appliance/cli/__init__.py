"""The command line: what may be said, and one module for each command."""
