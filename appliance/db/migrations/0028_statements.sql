-- Statements: what happened to a wallet in a month, numbered when the month is over, and never changed.

-- Its rows are those of the ledger after `after_seq`, up to `until_seq`, which never change; names are as they were. Each one goes on where
-- the one of the month before ended. Numbers have no gaps, in series as those of receipts (0014).
CREATE TABLE statement (
  number            INTEGER PRIMARY KEY,
  wallet_id         INTEGER NOT NULL REFERENCES account (id),
  person_id         INTEGER REFERENCES person (id),
  group_id          INTEGER NOT NULL REFERENCES person_group (id),         -- as it was then
  month             TEXT    NOT NULL CHECK (length(month) = 7),            -- 2026-11, by the site's days
  issued_at_ms      INTEGER NOT NULL,
  due_at_ms         INTEGER,                                               -- until when what is owed is to be paid; NULL: nothing is
  after_seq         INTEGER NOT NULL,
  until_seq         INTEGER NOT NULL,
  before_minor      INTEGER NOT NULL,
  sessions_minor    INTEGER NOT NULL,
  topups_minor      INTEGER NOT NULL,
  refunds_minor     INTEGER NOT NULL,
  corrections_minor INTEGER NOT NULL,
  after_minor       INTEGER NOT NULL,
  details           TEXT    NOT NULL,                                      -- JSON: names as they were
  UNIQUE (wallet_id, month),
  CHECK (before_minor + sessions_minor + topups_minor + refunds_minor + corrections_minor = after_minor),
  CHECK (after_seq <= until_seq)
) STRICT;
CREATE INDEX statement_by_month ON statement (month, number);
CREATE INDEX statement_by_group ON statement (group_id, month, number);

CREATE TRIGGER statement_check BEFORE INSERT ON statement BEGIN
  SELECT RAISE(ABORT, 'gap in the statements') WHERE NEW.number IS NOT coalesce((SELECT max(number) FROM statement), 0) + 1
    AND (NEW.number % 1000000 <> 1 OR NEW.number < coalesce((SELECT max(number) FROM statement), 0));
END;
CREATE TRIGGER statement_no_update BEFORE UPDATE ON statement BEGIN SELECT RAISE(ABORT, 'statements never change'); END;
CREATE TRIGGER statement_no_delete BEFORE DELETE ON statement BEGIN SELECT RAISE(ABORT, 'statements never change'); END;

ALTER TABLE site ADD COLUMN statements_from INTEGER NOT NULL DEFAULT 1;    -- from which number on the next series begins
ALTER TABLE site ADD COLUMN statements_month TEXT NOT NULL DEFAULT '';     -- the last month whose statements are all issued; '': none yet
