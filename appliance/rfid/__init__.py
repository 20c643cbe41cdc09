"""The card desk's reader: an edge. `reader` is the side asyncio sees, `tags` knows the chips, the rest drives the device."""
