"""One websocket and what is known of the station behind it; all of them are in the registry."""
