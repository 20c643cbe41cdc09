-- Vouchers: codes on paper that are worth an amount, once (docs/decisions/0025-vouchers.md).

-- What was paid for vouchers that nobody has used yet: the site owes it to whoever has the paper.
INSERT INTO account (id, kind, name) VALUES (12, 'clearing', 'vouchers');

-- A batch is what was printed at once. It never changes.
CREATE TABLE voucher_batch (
  id            INTEGER PRIMARY KEY,
  count         INTEGER NOT NULL CHECK (count BETWEEN 1 AND 1000),
  amount_minor  INTEGER NOT NULL CHECK (amount_minor > 0),                 -- of each voucher
  given_away    INTEGER NOT NULL CHECK (given_away IN (0, 1)),             -- worth its amount without having been sold
  expires_at_ms INTEGER,                                                   -- NULL: never
  note          TEXT    NOT NULL DEFAULT '',
  actor         TEXT    NOT NULL,
  made_at_ms    INTEGER NOT NULL
) STRICT;
CREATE TRIGGER voucher_batch_no_update BEFORE UPDATE ON voucher_batch BEGIN SELECT RAISE(ABORT, 'a batch of vouchers never changes'); END;
CREATE TRIGGER voucher_batch_no_delete BEFORE DELETE ON voucher_batch BEGIN SELECT RAISE(ABORT, 'a batch of vouchers never changes'); END;

-- Of a code only an HMAC is kept, under a key that is not in the database (the site's sealing key).
CREATE TABLE voucher (
  id         INTEGER PRIMARY KEY,
  batch_id   INTEGER NOT NULL REFERENCES voucher_batch (id),
  number     INTEGER NOT NULL CHECK (number > 0),                          -- within the batch; both are printed: 12-7
  code_hash  BLOB    NOT NULL UNIQUE CHECK (length(code_hash) = 32),
  state      TEXT    NOT NULL DEFAULT 'made' CHECK (state IN ('made', 'sold', 'redeemed', 'expired', 'voided', 'written_off', 'held')),
  sold_at_ms INTEGER,                                                      -- NULL: nobody has paid for it
  sold_by    TEXT    NOT NULL DEFAULT '',
  receipt    INTEGER REFERENCES receipt (number),                          -- for what was paid
  over_at_ms INTEGER,                                                      -- redeemed, voided or written off
  over_by    TEXT    NOT NULL DEFAULT '',
  person_id  INTEGER REFERENCES person (id),                               -- into whose wallet it went
  UNIQUE (batch_id, number)
) STRICT;
CREATE INDEX voucher_by_state ON voucher (state, id);
CREATE INDEX voucher_by_batch ON voucher (batch_id, state);
CREATE TRIGGER voucher_birth BEFORE INSERT ON voucher BEGIN
  SELECT RAISE(ABORT, 'a voucher begins unsold') WHERE NEW.state <> 'made' OR NEW.sold_at_ms IS NOT NULL OR NEW.over_at_ms IS NOT NULL;
END;
CREATE TRIGGER voucher_guard BEFORE UPDATE ON voucher BEGIN
  SELECT RAISE(ABORT, 'a voucher is what was printed')
    WHERE NEW.id <> OLD.id OR NEW.batch_id <> OLD.batch_id OR NEW.number <> OLD.number OR NEW.code_hash <> OLD.code_hash;
  SELECT RAISE(ABORT, 'a voucher is used once') WHERE OLD.state IN ('redeemed', 'voided', 'written_off');
  SELECT RAISE(ABORT, 'a voucher that was sold stays so')
    WHERE OLD.sold_at_ms IS NOT NULL AND (NEW.sold_at_ms IS NOT OLD.sold_at_ms OR NEW.receipt IS NOT OLD.receipt OR NEW.state = 'made');
  SELECT RAISE(ABORT, 'a voucher needs its transfer')
    WHERE (NEW.state IN ('sold', 'redeemed', 'written_off') OR (NEW.state = 'voided' AND OLD.sold_at_ms IS NOT NULL))
    AND NOT EXISTS (SELECT 1 FROM transfer WHERE key = 'voucher|' || NEW.id || '|' || NEW.state);
END;
CREATE TRIGGER voucher_no_delete BEFORE DELETE ON voucher BEGIN SELECT RAISE(ABORT, 'vouchers are never deleted'); END;

-- The codes of a batch that was just made, sealed: for the same request sent again, and for another form of paper. They go after a while.
CREATE TABLE voucher_sheet (
  batch_id    INTEGER PRIMARY KEY REFERENCES voucher_batch (id),
  sealed      BLOB    NOT NULL CHECK (length(sealed) > 0),
  until_at_ms INTEGER NOT NULL
) STRICT;

-- Batches of a restored site begin above those of before, for what was printed after the backup keeps its numbers.
ALTER TABLE site ADD COLUMN voucher_batches_from INTEGER NOT NULL DEFAULT 1;

-- A receipt for a voucher is for whoever buys it: it names no person.
CREATE TABLE receipt_anew (
  number        INTEGER PRIMARY KEY,
  kind          TEXT    NOT NULL CHECK (kind IN ('issue', 'recharge', 'refund', 'return', 'credit_note', 'voucher')),
  at_ms         INTEGER NOT NULL,
  actor         TEXT    NOT NULL,
  person_id     INTEGER REFERENCES person (id),                            -- NULL: of a voucher that was sold or paid back
  card_id       INTEGER REFERENCES card (id),
  amount_minor  INTEGER NOT NULL,                                          -- wallet and deposit together
  deposit_minor INTEGER NOT NULL,
  method        TEXT    NOT NULL,                                          -- cash, card, mobile, bank; voucher
  balance_minor INTEGER NOT NULL,                                          -- of the wallet, after it
  corrects      INTEGER UNIQUE REFERENCES receipt (number),
  details       TEXT    NOT NULL,                                          -- JSON: names as they were
  CHECK (person_id IS NOT NULL OR kind IN ('voucher', 'credit_note'))
) STRICT;
INSERT INTO receipt_anew (number, kind, at_ms, actor, person_id, card_id, amount_minor, deposit_minor, method, balance_minor, corrects, details)
SELECT number, kind, at_ms, actor, person_id, card_id, amount_minor, deposit_minor, method, balance_minor, corrects, details FROM receipt ORDER BY number;
DROP TABLE receipt;
ALTER TABLE receipt_anew RENAME TO receipt;
CREATE INDEX receipt_by_amount ON receipt (amount_minor, number);
CREATE INDEX receipt_by_card ON receipt (card_id, number) WHERE card_id IS NOT NULL;
CREATE INDEX receipt_by_person ON receipt (person_id, number);
CREATE TRIGGER receipt_check BEFORE INSERT ON receipt BEGIN
  SELECT RAISE(ABORT, 'gap in the receipts') WHERE NEW.number IS NOT coalesce((SELECT max(number) FROM receipt), 0) + 1
    AND (NEW.number % 1000000 <> 1 OR NEW.number < coalesce((SELECT max(number) FROM receipt), 0));
END;
CREATE TRIGGER receipt_no_update BEFORE UPDATE ON receipt BEGIN SELECT RAISE(ABORT, 'receipts never change'); END;
CREATE TRIGGER receipt_no_delete BEFORE DELETE ON receipt BEGIN SELECT RAISE(ABORT, 'receipts never change'); END;
