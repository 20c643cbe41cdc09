"""Charging stations: let in, watched and commanded."""
