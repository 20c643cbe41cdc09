-- How a session's registers are read (domain/registers.py), and what may be billed where they contradict each other.

-- The energy of a running session, where it is not simply its highest register above that of the start (NULL).
ALTER TABLE session ADD COLUMN read_wh INTEGER;

-- What was taken in the interval that ended then: some stations tell no register.
ALTER TABLE sample ADD COLUMN interval_wh INTEGER;

-- The greatest power that was measured at an EVSE; only a figure that was billed without doubt teaches it.
ALTER TABLE connector ADD COLUMN power_seen_w INTEGER NOT NULL DEFAULT 0;

-- What a session in review may be billed for: staff choose one of these.
CREATE TABLE session_figure (
  session_id    INTEGER NOT NULL REFERENCES session (id),
  energy_wh     INTEGER NOT NULL,
  position      INTEGER NOT NULL,                                          -- in which order they are offered
  duration_s    INTEGER NOT NULL,
  idle_s        INTEGER NOT NULL,
  ended_at_ms   INTEGER NOT NULL,
  meter_stop_wh INTEGER,
  PRIMARY KEY (session_id, energy_wh)
) STRICT, WITHOUT ROWID;
