"""Measurements: the limit of the machine, the load that is put on it, and the comparison with the product."""
