"""The charging stations' side: OCPP-J over websockets, from the handshake to a domain event and from a command to a call.

What a message means for the site is decided in services; each version of OCPP has a folder that only translates.
"""
