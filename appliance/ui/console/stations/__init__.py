"""Charging stations: their pages, commands and messages."""
