"""Forecourt: the server of an electric-vehicle charging site, on one small Linux box.

The packages below are layers, and an import points downwards only: the edges (`ui`, `ocpp`, `rfid`, `payments`, `jobs`,
`simulator`), then `services`, `db` and `domain`. `server` joins them.
"""

from typing import Final

__version__: Final = "0.1.0"
