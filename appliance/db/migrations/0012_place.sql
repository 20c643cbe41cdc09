-- Where a station stands, in the words of the staff: the board of many connectors is grouped by it. '': by its name without the number.
ALTER TABLE station ADD COLUMN place TEXT NOT NULL DEFAULT '';
