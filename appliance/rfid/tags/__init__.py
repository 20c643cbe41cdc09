"""What is on a card, and how it gets there: for every chip that is known, reading, writing, locking and wiping.

All of it runs in the thread that owns the reader and speaks through `CardField`. Work is written so that it may be done
again after any interruption: the same `Write` on a card that was torn away repairs it, and on a finished one changes nothing.
"""

from __future__ import annotations

from appliance.rfid.tags.work import inspect, perform

__all__ = ["inspect", "perform"]
