"""How a simulated station is told in OCPP 1.6J, on the client side of the `ocpp` package."""
