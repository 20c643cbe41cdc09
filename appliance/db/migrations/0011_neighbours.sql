-- What keeps the neighbours out: people and devices on the same network that have no credentials.

-- ------------------------------------------------------------------------------------------------------------ stations

-- A station without a password is bound to the device that it came from: 'mac 02:1a:…' where the kernel knows it, else
-- 'ip 192.168.1.9'; '' until it comes for the first time.
ALTER TABLE station ADD COLUMN bound_to TEXT NOT NULL DEFAULT '';

-- A password that the station was sent and has not used yet. Until then the one before holds.
ALTER TABLE station ADD COLUMN next_password_hash BLOB;

-- A station that knocked and was turned away. The row waits for the next that knocks: messages refer to it, and to look for them
-- would take as long as there are messages. Messages before `log_since_ms` are those of who had the row before.
ALTER TABLE station ADD COLUMN dismissed_at_ms INTEGER;
ALTER TABLE station ADD COLUMN log_since_ms INTEGER NOT NULL DEFAULT 0;

-- Devices that say the name of a bound station and are not the one that it is bound to: they wait for staff.
CREATE TABLE station_newcomer (
  station_id INTEGER NOT NULL REFERENCES station (id),
  peer       TEXT    NOT NULL,                                             -- as station.bound_to
  address    TEXT    NOT NULL,
  seen_at_ms INTEGER NOT NULL,
  PRIMARY KEY (station_id, peer)
) STRICT, WITHOUT ROWID;

-- ----------------------------------------------------------------------------------------------------------- approvals

-- What somebody asked for and another person must agree to (services/approvals/).
CREATE TABLE approval (
  id            INTEGER PRIMARY KEY,
  kind          TEXT    NOT NULL,                                             -- topup, refund, correction
  person_id     INTEGER NOT NULL REFERENCES person (id),
  amount_minor  INTEGER NOT NULL,
  request       TEXT    NOT NULL,                                             -- JSON: the rest of what was asked for
  key           TEXT    NOT NULL UNIQUE,                                      -- who asked, and their form: asked twice is once
  asked_by      TEXT    NOT NULL,
  asked_at_ms   INTEGER NOT NULL,
  state         TEXT    NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'refused', 'withdrawn', 'expired')),
  decided_by    TEXT    NOT NULL DEFAULT '',
  decided_at_ms INTEGER
) STRICT;

CREATE INDEX approval_pending ON approval (id) WHERE state = 'pending';
CREATE INDEX approval_by_person ON approval (person_id);
