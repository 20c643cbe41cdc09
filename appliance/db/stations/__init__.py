"""Charging stations as rows: who they are, their connectors, and what they said."""
