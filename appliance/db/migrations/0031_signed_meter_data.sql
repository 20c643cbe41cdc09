-- What meters have signed, word for word as it came, and by which key it is checked.

CREATE TABLE signed_value (
  session_id INTEGER NOT NULL REFERENCES session (id),
  position   INTEGER NOT NULL CHECK (position BETWEEN 1 AND 40),           -- in the order in which they came; a session keeps no more
  at_ms      INTEGER NOT NULL,                                             -- the station's word
  context    TEXT    NOT NULL,                                             -- Transaction.Begin, Transaction.End, …
  data       TEXT    NOT NULL CHECK (length(data) BETWEEN 1 AND 20000),
  digest     BLOB    NOT NULL CHECK (length(digest) = 32),
  PRIMARY KEY (session_id, position),
  UNIQUE (session_id, digest)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER signed_value_is_fixed BEFORE UPDATE ON signed_value BEGIN
  SELECT RAISE(ABORT, 'what was signed never changes') WHERE NEW.data <> OLD.data OR NEW.digest <> OLD.digest;
END;

-- The public key of a meter, as its maker prints it or as somebody has read it off.
CREATE TABLE meter_key (
  station_id INTEGER NOT NULL REFERENCES station (id),
  evse       INTEGER NOT NULL CHECK (evse >= 1),
  public_key TEXT    NOT NULL CHECK (length(public_key) BETWEEN 1 AND 2000),
  PRIMARY KEY (station_id, evse)
) STRICT, WITHOUT ROWID;
