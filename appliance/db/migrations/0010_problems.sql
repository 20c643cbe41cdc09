-- A problem that happens again is one row that says how often, and when last; one that lasts can be put aside until it comes anew.

ALTER TABLE problem ADD COLUMN times INTEGER NOT NULL DEFAULT 1;
ALTER TABLE problem ADD COLUMN last_at_ms INTEGER;                     -- when it happened last; NULL: once, at since_ms
ALTER TABLE problem ADD COLUMN dismissed_at_ms INTEGER;                -- staff have seen it while it lasts; it is not shown as open
