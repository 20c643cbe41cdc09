-- The register at a session's start in thousandths of a watt-hour, where its station told a fraction of what it takes for watt-hours: if that turns
-- out to be kilowatt-hours, the fraction is watt-hours. None for sessions whose start was a whole number, as OCPP 1.6 wants it.
CREATE TABLE register_fraction (
  session_id INTEGER PRIMARY KEY REFERENCES session (id),
  start_mwh  INTEGER NOT NULL CHECK (start_mwh >= 0)
) STRICT;
