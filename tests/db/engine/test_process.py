"""SQLite counts no memory in a server's process: seen in a process of its own, for here it counts on."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import ctypes, sys, _sqlite3, sqlite3
from appliance.db.engine.process import leave_memory_uncounted
if sys.argv[1] == "uncounted":
    assert leave_memory_uncounted()
db = sqlite3.connect(":memory:")
db.execute("CREATE TABLE bottle (litres INTEGER)")
db.execute("INSERT INTO bottle VALUES (3)")
assert db.execute("SELECT litres FROM bottle").fetchall() == [(3,)]
used = ctypes.CDLL(_sqlite3.__file__).sqlite3_memory_used
used.restype = ctypes.c_int64
print(used() > 0)
"""


def test_the_server_lets_sqlite_count_no_memory() -> None:
    """The control is the same program without it."""
    for how, counted in (("counted", "True"), ("uncounted", "False")):
        done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == counted
