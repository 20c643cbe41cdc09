-- Pools: one wallet from which several people charge (docs/decisions/0026-a-pool-is-an-account.md).

-- A pool is an account as a person is: with a group that says how it pays, a wallet, receipts and records, and perhaps cards of its own.
ALTER TABLE person ADD COLUMN is_pool INTEGER NOT NULL DEFAULT 0 CHECK (is_pool IN (0, 1));
ALTER TABLE person ADD COLUMN pool_id INTEGER REFERENCES person (id)       -- whose wallet pays for them; NULL: their own
  CHECK (pool_id IS NULL OR (is_pool = 0 AND pool_id <> id));
ALTER TABLE person ADD COLUMN contact TEXT NOT NULL DEFAULT '';            -- of a pool: whom to ask for
CREATE INDEX person_by_pool ON person (pool_id, name_key, id) WHERE pool_id IS NOT NULL;
CREATE INDEX person_pools ON person (name_key, id) WHERE is_pool = 1;

-- Which pool pays for a session, as it was when it began; its wallet is session.wallet_id.
ALTER TABLE session ADD COLUMN pool_id INTEGER REFERENCES person (id);
CREATE INDEX session_by_pool ON session (pool_id, id) WHERE pool_id IS NOT NULL;
-- Which limit refused or stopped it: whose it is, and which ('card:day_minor', 'pool:month_energy_wh').
ALTER TABLE session ADD COLUMN limited_by TEXT NOT NULL DEFAULT '';

-- Limits of a month, too, and of all cards of a person together; those of a pool are of all that it pays for.
ALTER TABLE card_limit ADD COLUMN month_energy_wh INTEGER CHECK (month_energy_wh > 0);
ALTER TABLE card_limit ADD COLUMN month_minor INTEGER CHECK (month_minor > 0);
CREATE TABLE person_limit (
  person_id       INTEGER PRIMARY KEY REFERENCES person (id),
  day_energy_wh   INTEGER CHECK (day_energy_wh > 0),
  day_minor       INTEGER CHECK (day_minor > 0),
  month_energy_wh INTEGER CHECK (month_energy_wh > 0),
  month_minor     INTEGER CHECK (month_minor > 0)
) STRICT;

-- What the sessions that are over came to in a month of the site, by who charged, with what, and which pool paid (0: none, in either).
CREATE TABLE holder_month (
  month     TEXT    NOT NULL CHECK (length(month) = 7),                    -- 2026-11
  person_id INTEGER NOT NULL REFERENCES person (id),
  card_id   INTEGER NOT NULL,
  pool_id   INTEGER NOT NULL,
  working_s INTEGER NOT NULL,
  energy_wh INTEGER NOT NULL,
  fee_minor INTEGER NOT NULL,
  sessions  INTEGER NOT NULL,
  PRIMARY KEY (month, person_id, card_id, pool_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX holder_month_by_card ON holder_month (card_id, month) WHERE card_id <> 0;
CREATE INDEX holder_month_by_pool ON holder_month (pool_id, month) WHERE pool_id <> 0;
INSERT INTO holder_month (month, person_id, card_id, pool_id, working_s, energy_wh, fee_minor, sessions)
SELECT substr(day, 1, 7), session.person_id, coalesce(session.card_id, 0), 0,
       sum(working_s), sum(session_day.energy_wh), sum(session_day.fee_minor), sum(first_day)
FROM session_day JOIN session ON session.id = session_day.session_id
WHERE session.person_id IS NOT NULL
GROUP BY 1, 2, 3, 4;

-- Of whoever pays beforehand: with how much a session may begin, how far below nothing one may run, below what somebody calls them.
ALTER TABLE person_group ADD COLUMN minimum_minor INTEGER CHECK (minimum_minor >= 1);    -- NULL: as the site's setting
ALTER TABLE person_group ADD COLUMN emergency_minor INTEGER NOT NULL DEFAULT 0 CHECK (emergency_minor >= 0);
ALTER TABLE person_group ADD COLUMN low_minor INTEGER CHECK (low_minor >= 0);            -- NULL: as the site's setting; 0: never
