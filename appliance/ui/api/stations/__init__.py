"""Charging stations and commands to them."""
