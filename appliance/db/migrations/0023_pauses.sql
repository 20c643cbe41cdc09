-- When a charger, or the site, had paused a session (SuspendedEVSE): lines of a tariff price it by its duration alone. One row for each
-- pause, in the session's own time, as in idle_span; none for sessions with flat prices, which do not ask.
CREATE TABLE pause_span (
  session_id  INTEGER NOT NULL REFERENCES session (id),
  begin_at_ms INTEGER NOT NULL,
  end_at_ms   INTEGER,                                                     -- NULL: it goes on
  PRIMARY KEY (session_id, begin_at_ms)
) STRICT, WITHOUT ROWID;
