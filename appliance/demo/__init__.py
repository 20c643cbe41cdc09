"""The demo site, its chargers' traffic, its driver and its card reader. None of this exists on a real site."""
