"""OCPP 1.6: its messages translated to the domain's events and its commands, and nothing decided."""
