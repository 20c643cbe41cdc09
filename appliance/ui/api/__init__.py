"""`/api/v1`: the site for other programs, as JSON.

To add a call: a function `async def answer(call: Call) -> Answer` and its `Operation` in the module of its subject, with the
shapes of what comes in and goes out (they check it and describe it at once), the module's `OPERATIONS` in `app`, and the
roles that may in `ui/frame/roles.py`. The document at `/api/v1/openapi.json` follows from the same table.
"""
