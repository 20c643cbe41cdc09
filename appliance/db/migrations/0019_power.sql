-- The greatest power that a connector can give, beside what was measured: what staff say, and what its station says; 0: nothing.

ALTER TABLE connector ADD COLUMN power_max_w INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connector ADD COLUMN power_told_w INTEGER NOT NULL DEFAULT 0;
