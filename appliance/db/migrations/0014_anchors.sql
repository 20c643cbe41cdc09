-- What the books were at a moment, so that nobody rewrites them: the newest row of each list that only grows, under a key that is
-- not in the database (the site's sealing key). The same line goes to the journal of the system, and in here into each backup.

CREATE TABLE anchor (
  at_ms           INTEGER PRIMARY KEY,
  transfer_seq    INTEGER NOT NULL,
  transfer_hash   BLOB    NOT NULL CHECK (length(transfer_hash) = 32),
  audit_seq       INTEGER NOT NULL,
  audit_hash      BLOB    NOT NULL CHECK (length(audit_hash) = 32),
  receipt_number  INTEGER NOT NULL,
  receipts_hash   BLOB    NOT NULL CHECK (length(receipts_hash) = 32),     -- over all receipts up to that one
  mac             BLOB    NOT NULL CHECK (length(mac) = 32)
) STRICT;
CREATE TRIGGER anchor_no_update BEFORE UPDATE ON anchor BEGIN SELECT RAISE(ABORT, 'anchors never change'); END;
CREATE TRIGGER anchor_no_delete BEFORE DELETE ON anchor BEGIN SELECT RAISE(ABORT, 'anchors never change'); END;

-- A restored site begins a series of receipts of its own, for those that were printed after the backup keep their numbers: each series
-- begins at a million and one, two millions and one, …

ALTER TABLE site ADD COLUMN receipts_from INTEGER NOT NULL DEFAULT 1;
DROP TRIGGER receipt_check;
CREATE TRIGGER receipt_check BEFORE INSERT ON receipt BEGIN
  SELECT RAISE(ABORT, 'gap in the receipts') WHERE NEW.number IS NOT coalesce((SELECT max(number) FROM receipt), 0) + 1
    AND (NEW.number % 1000000 <> 1 OR NEW.number < coalesce((SELECT max(number) FROM receipt), 0));
END;
