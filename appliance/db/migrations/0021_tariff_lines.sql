-- Tariffs with lines (decision 0023), and what sessions cost by them.

-- Its lines and what holds for all of them, as JSON (db/tariff_terms.py); NULL: the flat prices beside it are all.
ALTER TABLE tariff ADD COLUMN terms TEXT;

-- A version that holds from a moment to come waits until then, and takes the place of another.
ALTER TABLE tariff ADD COLUMN valid_from_ms INTEGER;                       -- NULL: it held as soon as it was made
ALTER TABLE tariff ADD COLUMN follows_id INTEGER REFERENCES tariff (id);   -- whose place it takes then; NULL: nobody's
DROP TRIGGER tariff_is_fixed;
CREATE TRIGGER tariff_is_fixed BEFORE UPDATE ON tariff
WHEN (NEW.energy_milli_per_kwh, NEW.time_milli_per_minute, NEW.idle_milli_per_minute, NEW.idle_grace_s, NEW.flat_milli, NEW.tax_basis_points, NEW.terms)
  IS NOT (OLD.energy_milli_per_kwh, OLD.time_milli_per_minute, OLD.idle_milli_per_minute, OLD.idle_grace_s, OLD.flat_milli, OLD.tax_basis_points, OLD.terms)
BEGIN SELECT RAISE(ABORT, 'a price never changes: add a new tariff'); END;

-- The lines of the bill of a session whose tariff has lines, as it was billed last; nothing by a flat tariff, whose bill follows from the session.
CREATE TABLE session_line (
  session_id   INTEGER NOT NULL REFERENCES session (id),
  position     INTEGER NOT NULL CHECK (position >= 0),                     -- on the bill
  line         INTEGER CHECK (line >= 0),                                  -- of the tariff, from 0; NULL: the difference to its minimum or maximum
  kind         TEXT    NOT NULL,                                           -- a dimension of the tariff's lines, 'minimum' or 'maximum'
  quantity     TEXT    NOT NULL,                                           -- Wh, milliseconds or times, exactly: '7200/1', '4860000/1333'
  amount_minor INTEGER NOT NULL,                                           -- with tax where the prices are; negative: what is beyond the maximum
  PRIMARY KEY (session_id, position)
) STRICT, WITHOUT ROWID;

-- What a session costs so far whose tariff has lines: as of its last reading. NULL: by the flat prices it follows from the session.
ALTER TABLE session ADD COLUMN so_far_minor INTEGER CHECK (so_far_minor >= 0);

-- What a figure would cost by lines. NULL: by the flat prices it follows from the figure.
ALTER TABLE session_figure ADD COLUMN net_minor INTEGER CHECK (net_minor >= 0);
ALTER TABLE session_figure ADD COLUMN tax_minor INTEGER CHECK (tax_minor >= 0);
