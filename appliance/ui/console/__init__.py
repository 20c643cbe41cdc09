"""The staff's pages, one module for each group of them; each lists its `ROUTES`."""
