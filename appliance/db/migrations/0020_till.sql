-- The till: the shifts of those who take cash, each with a drawer of its own, and what was counted at their end.

-- What was counted beyond what had to be in a drawer, or below it; what was bought with cash out of a drawer. The account of a drawer
-- (30 for the first, 31 for the second, …) is made when it is used first. What lies in no drawer is on account 5: the safe.
INSERT INTO account (id, kind, name) VALUES (20, 'adjustment', 'over and short'), (21, 'adjustment', 'expenses');

-- From the float to the count. All cash that its holder takes and gives back meanwhile is booked on its drawer's account, so that a shift is
-- the rows of that account after `opened_seq`, up to `closed_seq`. It is closed once, with a Z report, numbered without gaps, and never changes.
CREATE TABLE shift (
  id             INTEGER PRIMARY KEY,
  drawer         INTEGER NOT NULL CHECK (drawer BETWEEN 1 AND 70),
  account_id     INTEGER NOT NULL REFERENCES account (id),
  actor          TEXT    NOT NULL,                                         -- whose it is: operator:3, token:2
  taken_over     INTEGER UNIQUE REFERENCES shift (id),                     -- whose counted money is its float; NULL: it came from the safe
  opened_at_ms   INTEGER NOT NULL,
  opened_seq     INTEGER NOT NULL,                                         -- the last row of the ledger before it
  float_minor    INTEGER NOT NULL CHECK (float_minor >= 0),
  float_pieces   TEXT    NOT NULL,                                         -- JSON: [[value, count], …]; [] if only the amount is known
  closed_at_ms   INTEGER,
  closed_by      TEXT,
  closed_seq     INTEGER,                                                  -- the last row of the ledger before it was closed
  expected_minor INTEGER,                                                  -- what had to be in the drawer then
  counted_minor  INTEGER CHECK (counted_minor >= 0),
  counted_pieces TEXT,
  reason         TEXT,                                                     -- what is known of a difference
  z_number       INTEGER UNIQUE,
  details        TEXT,                                                     -- JSON: names as they were when it was closed
  CHECK ((closed_at_ms IS NULL) = (z_number IS NULL)),
  CHECK ((closed_at_ms IS NULL) = (closed_by IS NULL)),
  CHECK ((closed_at_ms IS NULL) = (closed_seq IS NULL)),
  CHECK ((closed_at_ms IS NULL) = (expected_minor IS NULL)),
  CHECK ((closed_at_ms IS NULL) = (counted_minor IS NULL))
) STRICT;
CREATE UNIQUE INDEX shift_open_of ON shift (actor) WHERE closed_at_ms IS NULL;
CREATE UNIQUE INDEX shift_open_at ON shift (drawer) WHERE closed_at_ms IS NULL;
CREATE INDEX shift_by_actor ON shift (actor, id);

CREATE TRIGGER shift_begins BEFORE INSERT ON shift BEGIN
  SELECT RAISE(ABORT, 'a shift begins open') WHERE NEW.closed_at_ms IS NOT NULL;
END;
CREATE TRIGGER shift_is_closed_once BEFORE UPDATE ON shift BEGIN
  SELECT RAISE(ABORT, 'a closed shift never changes') WHERE OLD.closed_at_ms IS NOT NULL;
  SELECT RAISE(ABORT, 'a shift is closed, and nothing else') WHERE NEW.closed_at_ms IS NULL
    OR (NEW.id, NEW.drawer, NEW.account_id, NEW.actor, NEW.taken_over, NEW.opened_at_ms, NEW.opened_seq, NEW.float_minor, NEW.float_pieces)
    IS NOT (OLD.id, OLD.drawer, OLD.account_id, OLD.actor, OLD.taken_over, OLD.opened_at_ms, OLD.opened_seq, OLD.float_minor, OLD.float_pieces);
  SELECT RAISE(ABORT, 'gap in the Z reports') WHERE NEW.z_number IS NOT coalesce((SELECT max(z_number) FROM shift), 0) + 1
    AND (NEW.z_number % 1000000 <> 1 OR NEW.z_number < coalesce((SELECT max(z_number) FROM shift), 0));
END;
CREATE TRIGGER shift_no_delete BEFORE DELETE ON shift BEGIN SELECT RAISE(ABORT, 'shifts are never deleted'); END;
