-- The days of sessions, in the order in which they are written. By station first, the sessions of a commit lay on as many pages as there are
-- stations; what is asked for by station is in station_day.
DROP INDEX session_day_by_session;
ALTER TABLE session_day RENAME TO session_day_by_station;
CREATE TABLE session_day (
  day        TEXT    NOT NULL CHECK (length(day) = 10),                    -- 2026-11-23
  station_id INTEGER NOT NULL REFERENCES station (id),
  session_id INTEGER NOT NULL REFERENCES session (id),
  working_s  INTEGER NOT NULL,
  energy_wh  INTEGER NOT NULL,
  fee_minor  INTEGER NOT NULL,
  first_day  INTEGER NOT NULL CHECK (first_day IN (0, 1)),                 -- sessions are counted on the day they began
  PRIMARY KEY (day, session_id)
) STRICT, WITHOUT ROWID;
INSERT INTO session_day (day, station_id, session_id, working_s, energy_wh, fee_minor, first_day)
SELECT day, station_id, session_id, working_s, energy_wh, fee_minor, first_day FROM session_day_by_station ORDER BY day, session_id;
DROP TABLE session_day_by_station;
CREATE INDEX session_day_by_session ON session_day (session_id);
