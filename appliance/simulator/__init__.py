"""A simulated charging station that speaks to any central system: in the terminal, in the demo site and in tests.

`station` is the hardware, `charger` what its controller decides, `v16` how that is told in OCPP 1.6. The central system of this
product is nowhere imported: the two meet over a websocket.
"""
