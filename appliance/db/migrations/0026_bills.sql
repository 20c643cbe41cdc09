-- Bills: what a session cost, on a paper that never changes.

-- On whose name the bills and statements of a wallet are made out, where the law asks for more than the name of a person or a pool; the
-- tax number stands on its receipts, too.
CREATE TABLE buyer (
  wallet_id  INTEGER PRIMARY KEY REFERENCES account (id),
  name       TEXT    NOT NULL DEFAULT '',                                  -- '': that of the person or pool
  address    TEXT    NOT NULL DEFAULT '',
  tax_number TEXT    NOT NULL DEFAULT ''                                   -- BIN, GSTIN, USt-IdNr. …
) STRICT;

-- One for each session that costs something, made with the commit that takes its money. Numbers have no gaps, in series as those of
-- receipts (0014). Where a session is billed anew, a credit note takes the bill back, and another bill takes its place.
CREATE TABLE bill (
  number      INTEGER PRIMARY KEY,
  kind        TEXT    NOT NULL CHECK (kind IN ('bill', 'credit_note')),
  at_ms       INTEGER NOT NULL,
  session_id  INTEGER NOT NULL REFERENCES session (id),
  wallet_id   INTEGER NOT NULL REFERENCES account (id),
  person_id   INTEGER REFERENCES person (id),
  net_minor   INTEGER NOT NULL,                                            -- below zero on a credit note, and so the rest
  tax_minor   INTEGER NOT NULL,
  total_minor INTEGER NOT NULL,
  corrects    INTEGER UNIQUE REFERENCES bill (number),
  details     TEXT    NOT NULL,                                            -- JSON: who, where, when, the meter, the lines, the taxes, as they were
  CHECK (net_minor + tax_minor = total_minor),
  CHECK ((kind = 'credit_note') = (corrects IS NOT NULL))
) STRICT;
CREATE INDEX bill_by_session ON bill (session_id, number);
CREATE INDEX bill_by_wallet ON bill (wallet_id, number);
CREATE INDEX bill_by_person ON bill (person_id, number) WHERE person_id IS NOT NULL;

CREATE TRIGGER bill_check BEFORE INSERT ON bill BEGIN
  SELECT RAISE(ABORT, 'gap in the bills') WHERE NEW.number IS NOT coalesce((SELECT max(number) FROM bill), 0) + 1
    AND (NEW.number % 1000000 <> 1 OR NEW.number < coalesce((SELECT max(number) FROM bill), 0));
END;
CREATE TRIGGER bill_no_update BEFORE UPDATE ON bill BEGIN SELECT RAISE(ABORT, 'bills never change'); END;
CREATE TRIGGER bill_no_delete BEFORE DELETE ON bill BEGIN SELECT RAISE(ABORT, 'bills never change'); END;

-- From which number on the next series of bills begins: a backup that is restored skips what was given away since.
ALTER TABLE site ADD COLUMN bills_from INTEGER NOT NULL DEFAULT 1;
