-- Transactions that stations name themselves, with numbered messages that come late, twice or not at all.

-- A station's own name of a transaction (OCPP 2.x), and the session that it is. A transaction of OCPP 1.6 needs no row: we number
-- it, and its number is the session's.
CREATE TABLE station_transaction (
  station_id  INTEGER NOT NULL REFERENCES station (id),
  name        TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  session_id  INTEGER NOT NULL UNIQUE REFERENCES session (id),
  next_seq    INTEGER NOT NULL DEFAULT 0,                                  -- the lowest number that has not been received
  last_seq    INTEGER,                                                     -- that of the message which ended it
  start_known INTEGER NOT NULL DEFAULT 0 CHECK (start_known IN (0, 1)),    -- 0: the lowest register seen stands for that of the start
  corrections INTEGER NOT NULL DEFAULT 0,                                  -- how often its bill was set right by late messages
  PRIMARY KEY (station_id, name)
) STRICT, WITHOUT ROWID;

-- Numbers that have been received beyond the first one that is missing.
CREATE TABLE received_seq (
  session_id INTEGER NOT NULL REFERENCES session (id),
  seq        INTEGER NOT NULL,
  PRIMARY KEY (session_id, seq)
) STRICT, WITHOUT ROWID;
