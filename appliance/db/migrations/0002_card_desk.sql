-- The card desk: what stands on a card, what it may do, what a desk does with it, and the receipts for the money.

-- A deposit taken for a card is the holder's until the card comes back.
INSERT INTO account (id, kind, name) VALUES (9, 'clearing', 'deposits');

-- ---------------------------------------------------------------------------------------------------------------- cards

-- The running number printed on it, which is not its UID.
ALTER TABLE card ADD COLUMN number INTEGER CHECK (number >= 1);
-- The chip, as the reader named it; '' when no reader of ours has seen it.
ALTER TABLE card ADD COLUMN kind TEXT NOT NULL DEFAULT '';
-- The opaque end of its link to the holder's page.
ALTER TABLE card ADD COLUMN token TEXT;
-- How often it was written anew; stands in the signed record, so that an older copy is told from the card.
ALTER TABLE card ADD COLUMN issue INTEGER NOT NULL DEFAULT 1 CHECK (issue BETWEEN 1 AND 65535);
-- What is to stand on the chip, and whether it does: `none` (known by its UID only), `pending`, `written`, `wiping`, `wiped`.
ALTER TABLE card ADD COLUMN content TEXT NOT NULL DEFAULT 'none' CHECK (content IN ('none', 'pending', 'written', 'wiping', 'wiped'));
ALTER TABLE card ADD COLUMN deposit_minor INTEGER NOT NULL DEFAULT 0 CHECK (deposit_minor >= 0);
-- bcrypt; '' for none. It guards the holder's page.
ALTER TABLE card ADD COLUMN pin_hash TEXT NOT NULL DEFAULT '';
-- The newest reading of the chip's own counter (NTAG 424 DNA); one that is not higher is a replay.
ALTER TABLE card ADD COLUMN tap_counter INTEGER NOT NULL DEFAULT -1;

UPDATE card SET number = id, token = lower(hex(randomblob(12)));
CREATE UNIQUE INDEX card_number ON card (number);
CREATE UNIQUE INDEX card_token ON card (token);

-- What a card may do at most; a card without a row may do all. The stations it may use are in card_station.
CREATE TABLE card_limit (
  card_id           INTEGER PRIMARY KEY REFERENCES card (id),
  session_energy_wh INTEGER CHECK (session_energy_wh > 0),
  session_minor     INTEGER CHECK (session_minor > 0),
  day_energy_wh     INTEGER CHECK (day_energy_wh > 0),
  day_minor         INTEGER CHECK (day_minor > 0),
  weekdays          INTEGER NOT NULL DEFAULT 127 CHECK (weekdays BETWEEN 1 AND 127),       -- bit 0: Monday
  from_minute       INTEGER NOT NULL DEFAULT 0 CHECK (from_minute BETWEEN 0 AND 1439),     -- of the site's day
  until_minute      INTEGER NOT NULL DEFAULT 1440 CHECK (until_minute BETWEEN 1 AND 1440)  -- before from_minute: over midnight
) STRICT;

-- Where a card may charge; without any row, everywhere.
CREATE TABLE card_station (
  card_id    INTEGER NOT NULL REFERENCES card (id),
  station_id INTEGER NOT NULL REFERENCES station (id),
  PRIMARY KEY (card_id, station_id)
) STRICT, WITHOUT ROWID;

-- What a charger calls a card whose UID it reads in a way of its own. Learned, never guessed.
CREATE TABLE card_alias (
  token         TEXT    PRIMARY KEY CHECK (length(token) BETWEEN 1 AND 255),
  card_id       INTEGER NOT NULL REFERENCES card (id),
  likeness      TEXT    NOT NULL CHECK (likeness IN ('reversed', 'truncated', 'padded', 'decimal', 'other')),
  vendor        TEXT    NOT NULL,
  model         TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX card_alias_by_card ON card_alias (card_id);

-- Cards that nobody knows, as chargers showed them.
CREATE TABLE unknown_tag (
  token       TEXT    NOT NULL CHECK (length(token) BETWEEN 1 AND 255),
  station_id  INTEGER NOT NULL REFERENCES station (id),
  first_at_ms INTEGER NOT NULL,
  last_at_ms  INTEGER NOT NULL,
  times       INTEGER NOT NULL,
  PRIMARY KEY (token, station_id)
) STRICT, WITHOUT ROWID;

-- ----------------------------------------------------------------------------------------------------------------- desk

-- Something to be done with a card at a reader, from the wish to what came of it. Nothing is booked while it is `waiting`.
CREATE TABLE desk_job (
  id            INTEGER PRIMARY KEY,
  desk          TEXT    NOT NULL CHECK (length(desk) BETWEEN 1 AND 64),
  kind          TEXT    NOT NULL CHECK (kind IN ('issue', 'recharge', 'read', 'replace', 'decommission', 'rewrite', 'batch', 'enrol', 'learn')),
  state         TEXT    NOT NULL CHECK (state IN ('waiting', 'writing', 'done', 'torn', 'failed')),
  request       TEXT    NOT NULL,                                          -- JSON: what was asked for
  person_id     INTEGER REFERENCES person (id),
  card_id       INTEGER REFERENCES card (id),
  receipt       INTEGER REFERENCES receipt (number),
  made          INTEGER NOT NULL DEFAULT 0,                                -- cards of a batch so far
  advice        TEXT    NOT NULL DEFAULT '',                               -- the name of a sentence in the console's tables
  undone        INTEGER NOT NULL DEFAULT 0 CHECK (undone IN (0, 1)),
  actor         TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  changed_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX desk_job_open ON desk_job (desk) WHERE state IN ('waiting', 'writing', 'torn');
CREATE INDEX desk_job_by_card ON desk_job (card_id) WHERE card_id IS NOT NULL;

-- Cards of one batch, in the order in which they were laid on the reader.
CREATE TABLE batch_card (
  job_id  INTEGER NOT NULL REFERENCES desk_job (id),
  card_id INTEGER NOT NULL REFERENCES card (id),
  PRIMARY KEY (job_id, card_id)
) STRICT, WITHOUT ROWID;

-- Money taken (positive) or given back (negative) over the desk, numbered without gaps. A receipt never changes: what was
-- wrong is taken back by another one that names it in `corrects`.
CREATE TABLE receipt (
  number        INTEGER PRIMARY KEY,
  kind          TEXT    NOT NULL CHECK (kind IN ('issue', 'recharge', 'refund', 'return', 'credit_note')),
  at_ms         INTEGER NOT NULL,
  actor         TEXT    NOT NULL,
  person_id     INTEGER NOT NULL REFERENCES person (id),
  card_id       INTEGER REFERENCES card (id),
  amount_minor  INTEGER NOT NULL,                                          -- wallet and deposit together
  deposit_minor INTEGER NOT NULL,
  method        TEXT    NOT NULL,
  balance_minor INTEGER NOT NULL,                                          -- of the wallet, after it
  corrects      INTEGER UNIQUE REFERENCES receipt (number),
  details       TEXT    NOT NULL                                           -- JSON: names as they were
) STRICT;
CREATE INDEX receipt_by_person ON receipt (person_id, number);
CREATE TRIGGER receipt_no_update BEFORE UPDATE ON receipt BEGIN SELECT RAISE(ABORT, 'receipts never change'); END;
CREATE TRIGGER receipt_no_delete BEFORE DELETE ON receipt BEGIN SELECT RAISE(ABORT, 'receipts never change'); END;
CREATE TRIGGER receipt_check BEFORE INSERT ON receipt BEGIN
  SELECT RAISE(ABORT, 'gap in the receipts') WHERE NEW.number IS NOT coalesce((SELECT max(number) FROM receipt), 0) + 1;
END;
