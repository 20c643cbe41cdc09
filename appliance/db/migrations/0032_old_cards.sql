-- Cards of an earlier local system: what was on them is taken over once.

-- What was taken over is owed to people, and nobody has paid for it here.
INSERT INTO account (id, kind, name) VALUES (13, 'adjustment', 'old cards');

-- By the UID in normal form. `listed`: on a list that somebody brought, and nothing is booked. `booked`: in a wallet; the number may still stand on
-- the chip. `cleared`: and it was emptied.
CREATE TABLE old_card (
  uid          TEXT    PRIMARY KEY CHECK (length(uid) BETWEEN 8 AND 20),
  state        TEXT    NOT NULL CHECK (state IN ('listed', 'booked', 'cleared')),
  amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
  name         TEXT    NOT NULL DEFAULT '',                                -- whose it was, by the list
  card_id      INTEGER REFERENCES card (id),
  receipt      INTEGER REFERENCES receipt (number),
  copies       INTEGER NOT NULL DEFAULT 0,                                 -- how often another card with this UID was laid since
  actor        TEXT    NOT NULL,                                           -- who brought the list, then who took it over
  at_ms        INTEGER NOT NULL,
  CHECK ((state = 'listed') = (receipt IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX old_card_by_time ON old_card (at_ms);
