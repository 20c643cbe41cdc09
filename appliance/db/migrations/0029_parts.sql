-- What each line of a bill priced, as it was billed: readings that come later change no bill, and no explanation of it.
-- JSON, [[from_ms, to_ms, from_wh, to_wh, quantity], …] (db/sessions/lines.py); the Wh are those of the session until then, whole, and the
-- quantity is exact, as that of the line. NULL: it was billed by an older release, or is the difference to a minimum or maximum.
ALTER TABLE session_line ADD COLUMN parts TEXT;
