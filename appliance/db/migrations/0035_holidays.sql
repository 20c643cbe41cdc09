-- The holidays of the site, as lines of tariffs ask for them. A list never changes: another one takes its place, and a session keeps that of
-- its start.
CREATE TABLE holiday_list (
  id         INTEGER PRIMARY KEY,
  made_at_ms INTEGER NOT NULL,
  actor      TEXT    NOT NULL,
  days       TEXT    NOT NULL                                              -- JSON: [["2026-12-16", "Victory Day"], …], in order
) STRICT;
CREATE TRIGGER holiday_list_no_update BEFORE UPDATE ON holiday_list BEGIN SELECT RAISE(ABORT, 'a list of holidays never changes'); END;
CREATE TRIGGER holiday_list_no_delete BEFORE DELETE ON holiday_list BEGIN SELECT RAISE(ABORT, 'a list of holidays never changes'); END;
ALTER TABLE session ADD COLUMN holiday_list_id INTEGER REFERENCES holiday_list (id);
