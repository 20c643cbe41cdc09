-- The schema as it stands after migration 0035, made by `make schema`. Why it is so is said in appliance/db/migrations/.

CREATE TABLE account (
  id            INTEGER PRIMARY KEY,
  kind          TEXT    NOT NULL CHECK (kind IN ('wallet', 'cash', 'clearing', 'revenue', 'tax', 'overrun', 'adjustment')),
  name          TEXT    NOT NULL,
  floor_minor   INTEGER,                                                   -- NULL: may fall without end
  credit_posted INTEGER NOT NULL DEFAULT 0 CHECK (credit_posted >= 0),
  debit_posted  INTEGER NOT NULL DEFAULT 0 CHECK (debit_posted >= 0),
  debit_pending INTEGER NOT NULL DEFAULT 0 CHECK (debit_pending >= 0),
  last_seq      INTEGER NOT NULL DEFAULT 0,
  CONSTRAINT no_overdraft CHECK (floor_minor IS NULL OR credit_posted - debit_posted - debit_pending >= floor_minor)
) STRICT;
CREATE INDEX account_by_balance ON account ((credit_posted - debit_posted), id) WHERE kind = 'wallet';
CREATE TRIGGER account_birth BEFORE INSERT ON account
WHEN NEW.credit_posted OR NEW.debit_posted OR NEW.debit_pending OR NEW.last_seq
BEGIN SELECT RAISE(ABORT, 'an account starts at zero'); END;
CREATE TRIGGER account_guard BEFORE UPDATE ON account BEGIN
  SELECT RAISE(ABORT, 'immutable column') WHERE NEW.id <> OLD.id OR NEW.kind <> OLD.kind;
  SELECT RAISE(ABORT, 'a balance needs its transfer') WHERE
    (NEW.credit_posted, NEW.debit_posted, NEW.debit_pending, NEW.last_seq)
      IS NOT (OLD.credit_posted, OLD.debit_posted, OLD.debit_pending, OLD.last_seq)
    AND NOT EXISTS (
      SELECT 1 FROM transfer AS t LEFT JOIN transfer AS h ON h.key = t.hold
      WHERE t.seq = NEW.last_seq AND t.seq = (SELECT max(seq) FROM transfer) AND OLD.last_seq < t.seq
        AND NEW.debit_posted  - OLD.debit_posted  = CASE WHEN t.debit  = NEW.id AND t.op IN ('post', 'capture') THEN t.amount_minor ELSE 0 END
        AND NEW.credit_posted - OLD.credit_posted = CASE WHEN t.credit = NEW.id AND t.op IN ('post', 'capture') THEN t.amount_minor ELSE 0 END
        AND NEW.debit_pending - OLD.debit_pending = CASE WHEN t.debit  = NEW.id THEN CASE t.op WHEN 'hold' THEN t.amount_minor WHEN 'post' THEN 0 ELSE -h.amount_minor END ELSE 0 END);
END;
CREATE TRIGGER account_no_delete BEFORE DELETE ON account BEGIN SELECT RAISE(ABORT, 'accounts are never deleted'); END;

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
CREATE TRIGGER anchor_no_delete BEFORE DELETE ON anchor BEGIN SELECT RAISE(ABORT, 'anchors never change'); END;
CREATE TRIGGER anchor_no_update BEFORE UPDATE ON anchor BEGIN SELECT RAISE(ABORT, 'anchors never change'); END;

CREATE TABLE api_token (
  id            INTEGER PRIMARY KEY,
  name          TEXT    NOT NULL,
  role          TEXT    NOT NULL CHECK (role IN ('owner', 'manager', 'cashier', 'guard', 'installer', 'viewer')),
  token_hash    BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  created_at_ms INTEGER NOT NULL,
  revoked_at_ms INTEGER
) STRICT;

CREATE TABLE approval (
  id            INTEGER PRIMARY KEY,
  kind          TEXT    NOT NULL,                                             -- topup, refund, correction
  person_id     INTEGER NOT NULL REFERENCES person (id),
  amount_minor  INTEGER NOT NULL,
  request       TEXT    NOT NULL,                                             -- JSON: the rest of what was asked for
  key           TEXT    NOT NULL UNIQUE,                                      -- who asked, and their form: asked twice is once
  asked_by      TEXT    NOT NULL,
  asked_at_ms   INTEGER NOT NULL,
  state         TEXT    NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'refused', 'withdrawn', 'expired')),
  decided_by    TEXT    NOT NULL DEFAULT '',
  decided_at_ms INTEGER
) STRICT;
CREATE INDEX approval_by_person ON approval (person_id);
CREATE INDEX approval_pending ON approval (id) WHERE state = 'pending';

CREATE TABLE audit (
  seq       INTEGER PRIMARY KEY,
  at_ms     INTEGER NOT NULL,
  actor     TEXT    NOT NULL,                                              -- operator:3, token:2, console, clock
  action    TEXT    NOT NULL,                                              -- person.create, card.block, station.start
  subject   TEXT    NOT NULL,
  details   TEXT    NOT NULL,                                              -- JSON
  prev_hash BLOB    NOT NULL CHECK (length(prev_hash) = 32),
  hash      BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX audit_by_action ON audit (action, seq);
CREATE INDEX audit_by_actor ON audit (actor, action, seq);
CREATE TRIGGER audit_check BEFORE INSERT ON audit BEGIN
  SELECT RAISE(ABORT, 'gap in the audit list') WHERE NEW.seq IS NOT coalesce((SELECT max(seq) FROM audit), 0) + 1;
  SELECT RAISE(ABORT, 'audit chain broken')    WHERE NEW.prev_hash IS NOT coalesce((SELECT hash FROM audit WHERE seq = NEW.seq - 1), zeroblob(32));
END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit list only grows'); END;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit list only grows'); END;

CREATE TABLE batch_card (
  job_id  INTEGER NOT NULL REFERENCES desk_job (id),
  card_id INTEGER NOT NULL REFERENCES card (id),
  PRIMARY KEY (job_id, card_id)
) STRICT, WITHOUT ROWID;

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
CREATE INDEX bill_by_person ON bill (person_id, number) WHERE person_id IS NOT NULL;
CREATE INDEX bill_by_session ON bill (session_id, number);
CREATE INDEX bill_by_wallet ON bill (wallet_id, number);
CREATE TRIGGER bill_check BEFORE INSERT ON bill BEGIN
  SELECT RAISE(ABORT, 'gap in the bills') WHERE NEW.number IS NOT coalesce((SELECT max(number) FROM bill), 0) + 1
    AND (NEW.number % 1000000 <> 1 OR NEW.number < coalesce((SELECT max(number) FROM bill), 0));
END;
CREATE TRIGGER bill_no_delete BEFORE DELETE ON bill BEGIN SELECT RAISE(ABORT, 'bills never change'); END;
CREATE TRIGGER bill_no_update BEFORE UPDATE ON bill BEGIN SELECT RAISE(ABORT, 'bills never change'); END;

CREATE TABLE buyer (
  wallet_id  INTEGER PRIMARY KEY REFERENCES account (id),
  name       TEXT    NOT NULL DEFAULT '',                                  -- '': that of the person or pool
  address    TEXT    NOT NULL DEFAULT '',
  tax_number TEXT    NOT NULL DEFAULT ''                                   -- BIN, GSTIN, USt-IdNr. …
) STRICT;

CREATE TABLE card (
  id               INTEGER PRIMARY KEY,
  uid              TEXT    NOT NULL UNIQUE CHECK (length(uid) BETWEEN 1 AND 255),
  person_id        INTEGER NOT NULL REFERENCES person (id),
  label            TEXT    NOT NULL DEFAULT '',                            -- the number printed on it
  transactions_max INTEGER NOT NULL DEFAULT 1 CHECK (transactions_max BETWEEN 1 AND 1000), -- more for a fleet's shared card
  expires_at_ms    INTEGER,
  blocked_at_ms    INTEGER,
  blocked_why      TEXT    NOT NULL DEFAULT '',
  replaced_by      INTEGER REFERENCES card (id),
  created_at_ms    INTEGER NOT NULL
, number INTEGER CHECK (number >= 1), kind TEXT NOT NULL DEFAULT '', token TEXT, issue INTEGER NOT NULL DEFAULT 1 CHECK (issue BETWEEN 1 AND 65535), content TEXT NOT NULL DEFAULT 'none' CHECK (content IN ('none', 'pending', 'written', 'wiping', 'wiped')), deposit_minor INTEGER NOT NULL DEFAULT 0 CHECK (deposit_minor >= 0), pin_hash TEXT NOT NULL DEFAULT '', tap_counter INTEGER NOT NULL DEFAULT -1, id_token_type TEXT NOT NULL DEFAULT '', label_key TEXT NOT NULL DEFAULT '', label_words TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX card_blocked ON card (blocked_at_ms) WHERE blocked_at_ms IS NOT NULL;
CREATE INDEX card_by_label ON card ((label = ''), label_key, id);
CREATE INDEX card_by_person ON card (person_id);
CREATE INDEX card_expires ON card (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
CREATE UNIQUE INDEX card_number ON card (number);
CREATE UNIQUE INDEX card_token ON card (token);

CREATE TABLE card_alias (
  token         TEXT    PRIMARY KEY CHECK (length(token) BETWEEN 1 AND 255),
  card_id       INTEGER NOT NULL REFERENCES card (id),
  likeness      TEXT    NOT NULL CHECK (likeness IN ('reversed', 'truncated', 'padded', 'decimal', 'other')),
  vendor        TEXT    NOT NULL,
  model         TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX card_alias_by_card ON card_alias (card_id);

CREATE TABLE card_limit (
  card_id           INTEGER PRIMARY KEY REFERENCES card (id),
  session_energy_wh INTEGER CHECK (session_energy_wh > 0),
  session_minor     INTEGER CHECK (session_minor > 0),
  day_energy_wh     INTEGER CHECK (day_energy_wh > 0),
  day_minor         INTEGER CHECK (day_minor > 0),
  weekdays          INTEGER NOT NULL DEFAULT 127 CHECK (weekdays BETWEEN 1 AND 127),       -- bit 0: Monday
  from_minute       INTEGER NOT NULL DEFAULT 0 CHECK (from_minute BETWEEN 0 AND 1439),     -- of the site's day
  until_minute      INTEGER NOT NULL DEFAULT 1440 CHECK (until_minute BETWEEN 1 AND 1440)  -- before from_minute: over midnight
, month_energy_wh INTEGER CHECK (month_energy_wh > 0), month_minor INTEGER CHECK (month_minor > 0)) STRICT;

CREATE TABLE card_station (
  card_id    INTEGER NOT NULL REFERENCES card (id),
  station_id INTEGER NOT NULL REFERENCES station (id),
  PRIMARY KEY (card_id, station_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE connector (
  station_id    INTEGER NOT NULL REFERENCES station (id),
  evse          INTEGER NOT NULL CHECK (evse >= 1),
  connector     INTEGER NOT NULL CHECK (connector >= 1),
  status        TEXT    NOT NULL,
  error_code    TEXT    NOT NULL DEFAULT '',
  info          TEXT    NOT NULL DEFAULT '',                               -- the station's own words
  changed_at_ms INTEGER NOT NULL, charging_state TEXT NOT NULL DEFAULT '', finer_status TEXT NOT NULL DEFAULT '', power_seen_w INTEGER NOT NULL DEFAULT 0, power_max_w INTEGER NOT NULL DEFAULT 0, power_told_w INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (station_id, evse, connector)
) STRICT, WITHOUT ROWID;

CREATE TABLE desk_job (
  id            INTEGER PRIMARY KEY,
  desk          TEXT    NOT NULL CHECK (length(desk) BETWEEN 1 AND 64),
  kind          TEXT    NOT NULL CHECK (kind IN ('issue', 'recharge', 'read', 'replace', 'decommission', 'rewrite', 'batch', 'enrol', 'learn')),
  state         TEXT    NOT NULL CHECK (state IN ('waiting', 'writing', 'done', 'torn', 'failed')),
  request       TEXT    NOT NULL,                                          -- JSON: what was asked for
  person_id     INTEGER REFERENCES person (id),
  card_id       INTEGER REFERENCES card (id),
  receipt       INTEGER REFERENCES receipt (number),
  made          INTEGER NOT NULL DEFAULT 0,                                -- cards of a batch so far
  advice        TEXT    NOT NULL DEFAULT '',                               -- the name of a sentence in the console's tables
  undone        INTEGER NOT NULL DEFAULT 0 CHECK (undone IN (0, 1)),
  actor         TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  changed_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX desk_job_by_card ON desk_job (card_id) WHERE card_id IS NOT NULL;
CREATE INDEX desk_job_by_desk ON desk_job (desk, id);
CREATE INDEX desk_job_open ON desk_job (desk, id) WHERE state IN ('waiting', 'writing', 'torn');
CREATE INDEX desk_job_open_in_order ON desk_job (id) WHERE state IN ('waiting', 'writing', 'torn');

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

CREATE TABLE holder_sum (
  person_id INTEGER NOT NULL REFERENCES person (id),
  card_id   INTEGER NOT NULL,                                              -- 0: without a card, started for them
  working_s INTEGER NOT NULL,
  energy_wh INTEGER NOT NULL,
  fee_minor INTEGER NOT NULL,
  sessions  INTEGER NOT NULL,
  PRIMARY KEY (person_id, card_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX holder_sum_by_card ON holder_sum (card_id);

CREATE TABLE holiday_list (
  id         INTEGER PRIMARY KEY,
  made_at_ms INTEGER NOT NULL,
  actor      TEXT    NOT NULL,
  days       TEXT    NOT NULL                                              -- JSON: [["2026-12-16", "Victory Day"], …], in order
) STRICT;
CREATE TRIGGER holiday_list_no_delete BEFORE DELETE ON holiday_list BEGIN SELECT RAISE(ABORT, 'a list of holidays never changes'); END;
CREATE TRIGGER holiday_list_no_update BEFORE UPDATE ON holiday_list BEGIN SELECT RAISE(ABORT, 'a list of holidays never changes'); END;

CREATE TABLE idempotency (
  scope        TEXT    NOT NULL,
  key          TEXT    NOT NULL,
  request_hash BLOB    NOT NULL CHECK (length(request_hash) = 32),
  status       INTEGER NOT NULL,
  response     TEXT    NOT NULL,
  at_ms        INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE idle_span (
  session_id  INTEGER NOT NULL REFERENCES session (id),
  begin_at_ms INTEGER NOT NULL,
  end_at_ms   INTEGER,
  PRIMARY KEY (session_id, begin_at_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE message_log (
  id         INTEGER PRIMARY KEY,
  station_id INTEGER NOT NULL REFERENCES station (id),
  at_ms      INTEGER NOT NULL,
  direction  TEXT    NOT NULL CHECK (direction IN ('in', 'out')),          -- in: the station called
  action     TEXT    NOT NULL,
  request    TEXT    NOT NULL,
  answer     TEXT,
  violation  TEXT                                                          -- what was wrong with its form
) STRICT;

CREATE TABLE message_log_size (
  station_id INTEGER PRIMARY KEY REFERENCES station (id),
  bytes      INTEGER NOT NULL CHECK (bytes >= 0),                          -- of its rows up to counted_id
  counted_id INTEGER NOT NULL,                                             -- up to which row all stations' were counted then
  oldest_id  INTEGER NOT NULL                                              -- it has no row before this one
) STRICT;

CREATE TABLE meter_key (
  station_id INTEGER NOT NULL REFERENCES station (id),
  evse       INTEGER NOT NULL CHECK (evse >= 1),
  public_key TEXT    NOT NULL CHECK (length(public_key) BETWEEN 1 AND 2000),
  PRIMARY KEY (station_id, evse)
) STRICT, WITHOUT ROWID;

CREATE TABLE old_card (
  uid          TEXT    PRIMARY KEY CHECK (length(uid) BETWEEN 8 AND 20),
  state        TEXT    NOT NULL CHECK (state IN ('listed', 'booked', 'cleared')),
  amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
  name         TEXT    NOT NULL DEFAULT '',                                -- whose it was, by the list
  card_id      INTEGER REFERENCES card (id),
  receipt      INTEGER REFERENCES receipt (number),
  copies       INTEGER NOT NULL DEFAULT 0,                                 -- how often another card with this UID was laid since
  actor        TEXT    NOT NULL,                                           -- who brought the list, then who took it over
  at_ms        INTEGER NOT NULL,
  CHECK ((state = 'listed') = (receipt IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX old_card_by_time ON old_card (at_ms);

CREATE TABLE operator (
  id             INTEGER PRIMARY KEY,
  login          TEXT    NOT NULL UNIQUE CHECK (length(login) BETWEEN 1 AND 64),
  name           TEXT    NOT NULL,
  role           TEXT    NOT NULL CHECK (role IN ('owner', 'manager', 'cashier', 'guard', 'installer', 'viewer')),
  language       TEXT    NOT NULL DEFAULT '',
  password_hash  TEXT    NOT NULL,
  created_at_ms  INTEGER NOT NULL,
  disabled_at_ms INTEGER
) STRICT;

CREATE TABLE operator_session (
  id            INTEGER PRIMARY KEY,
  token_hash    BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  operator_id   INTEGER NOT NULL REFERENCES operator (id),
  address       TEXT    NOT NULL,
  browser       TEXT    NOT NULL,
  began_at_ms   INTEGER NOT NULL,
  seen_at_ms    INTEGER NOT NULL,
  ended_at_ms   INTEGER
) STRICT;

CREATE TABLE owner_key (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  public_key BLOB    NOT NULL CHECK (length(public_key) = 32),             -- X25519
  enclosed   BLOB    NOT NULL,
  made_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE pause_span (
  session_id  INTEGER NOT NULL REFERENCES session (id),
  begin_at_ms INTEGER NOT NULL,
  end_at_ms   INTEGER,                                                     -- NULL: it goes on
  PRIMARY KEY (session_id, begin_at_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE person (
  id            INTEGER PRIMARY KEY,
  name          TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  phone         TEXT    NOT NULL DEFAULT '',
  note          TEXT    NOT NULL DEFAULT '',
  language      TEXT    NOT NULL DEFAULT '',                               -- '': the site's
  group_id      INTEGER NOT NULL REFERENCES person_group (id),
  wallet_id     INTEGER NOT NULL UNIQUE REFERENCES account (id),
  created_at_ms INTEGER NOT NULL,
  closed_at_ms  INTEGER
, phone_digits TEXT NOT NULL DEFAULT '', name_key TEXT NOT NULL DEFAULT '', merged_into INTEGER REFERENCES person (id), is_pool INTEGER NOT NULL DEFAULT 0 CHECK (is_pool IN (0, 1)), pool_id INTEGER REFERENCES person (id)       -- whose wallet pays for them; NULL: their own
  CHECK (pool_id IS NULL OR (is_pool = 0 AND pool_id <> id)), contact TEXT NOT NULL DEFAULT '', name_words TEXT NOT NULL DEFAULT '', note_words TEXT NOT NULL DEFAULT '', hides_balance INTEGER NOT NULL DEFAULT 0 CHECK (hides_balance IN (0, 1))) STRICT;
CREATE INDEX person_by_group ON person (group_id, closed_at_ms);
CREATE INDEX person_by_group_and_name ON person (group_id, closed_at_ms, name_key, id, wallet_id);
CREATE INDEX person_by_name ON person (name_key, id);
CREATE INDEX person_by_phone ON person (phone_digits, id);
CREATE INDEX person_by_pool ON person (pool_id, name_key, id) WHERE pool_id IS NOT NULL;
CREATE INDEX person_closed ON person (closed_at_ms) WHERE closed_at_ms IS NOT NULL;
CREATE INDEX person_left_by_name ON person (name_key, id) WHERE closed_at_ms IS NOT NULL;
CREATE INDEX person_pools ON person (name_key, id) WHERE is_pool = 1;

CREATE TABLE person_group (
  id            INTEGER PRIMARY KEY,
  name          TEXT    NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
  policy        TEXT    NOT NULL CHECK (policy IN ('prepaid', 'postpaid', 'free')),
  limit_minor   INTEGER CHECK (limit_minor >= 0),                          -- postpaid: how much may be owed; NULL: no limit
  tariff_id     INTEGER REFERENCES tariff (id),                            -- NULL: the default tariff
  created_at_ms INTEGER NOT NULL
, minimum_minor INTEGER CHECK (minimum_minor >= 1), emergency_minor INTEGER NOT NULL DEFAULT 0 CHECK (emergency_minor >= 0), low_minor INTEGER CHECK (low_minor >= 0)) STRICT;

CREATE TABLE person_limit (
  person_id       INTEGER PRIMARY KEY REFERENCES person (id),
  day_energy_wh   INTEGER CHECK (day_energy_wh > 0),
  day_minor       INTEGER CHECK (day_minor > 0),
  month_energy_wh INTEGER CHECK (month_energy_wh > 0),
  month_minor     INTEGER CHECK (month_minor > 0)
) STRICT;

CREATE TABLE place_tariff (
  station_id INTEGER NOT NULL REFERENCES station (id),
  evse       INTEGER NOT NULL CHECK (evse >= 0),                           -- 0: at the charger, where its connectors have none of their own
  tariff_id  INTEGER NOT NULL REFERENCES tariff (id),
  PRIMARY KEY (station_id, evse)
) STRICT, WITHOUT ROWID;
CREATE INDEX place_tariff_by_tariff ON place_tariff (tariff_id);

CREATE TABLE problem (
  id            INTEGER PRIMARY KEY,
  kind          TEXT    NOT NULL,
  subject       TEXT    NOT NULL,                                          -- station:17, session:12, setting:…, disk
  details       TEXT    NOT NULL,                                          -- JSON: the numbers of the sentence
  since_ms      INTEGER NOT NULL,
  cleared_at_ms INTEGER
, times INTEGER NOT NULL DEFAULT 1, last_at_ms INTEGER, dismissed_at_ms INTEGER) STRICT;
CREATE UNIQUE INDEX problem_open ON problem (kind, subject) WHERE cleared_at_ms IS NULL;

CREATE TABLE "receipt" (
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
CREATE INDEX receipt_by_amount ON receipt (amount_minor, number);
CREATE INDEX receipt_by_card ON receipt (card_id, number) WHERE card_id IS NOT NULL;
CREATE INDEX receipt_by_person ON receipt (person_id, number);
CREATE TRIGGER receipt_check BEFORE INSERT ON receipt BEGIN
  SELECT RAISE(ABORT, 'gap in the receipts') WHERE NEW.number IS NOT coalesce((SELECT max(number) FROM receipt), 0) + 1
    AND (NEW.number % 1000000 <> 1 OR NEW.number < coalesce((SELECT max(number) FROM receipt), 0));
END;
CREATE TRIGGER receipt_no_delete BEFORE DELETE ON receipt BEGIN SELECT RAISE(ABORT, 'receipts never change'); END;
CREATE TRIGGER receipt_no_update BEFORE UPDATE ON receipt BEGIN SELECT RAISE(ABORT, 'receipts never change'); END;

CREATE TABLE received_seq (
  session_id INTEGER NOT NULL REFERENCES session (id),
  seq        INTEGER NOT NULL,
  PRIMARY KEY (session_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE register_fraction (
  session_id INTEGER PRIMARY KEY REFERENCES session (id),
  start_mwh  INTEGER NOT NULL CHECK (start_mwh >= 0)
) STRICT;

CREATE TABLE sample (
  session_id    INTEGER NOT NULL REFERENCES session (id),
  sampled_at_ms INTEGER NOT NULL,
  energy_wh     INTEGER,
  power_w       INTEGER,
  current_ma    INTEGER,
  voltage_mv    INTEGER,
  soc_percent   INTEGER,
  others        TEXT,
  content       INTEGER NOT NULL, interval_wh INTEGER,                                          -- checksum: one moment may bring several readings
  PRIMARY KEY (session_id, sampled_at_ms, content)
) STRICT, WITHOUT ROWID;

CREATE TABLE sealed_secret (
  name          TEXT    PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 100),
  sealed        BLOB    NOT NULL CHECK (length(sealed) > 0),
  changed_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
  id                   INTEGER PRIMARY KEY,
  state                TEXT    NOT NULL CHECK (state IN ('requested', 'running', 'ended', 'failed', 'review')),
  started_at_ms        INTEGER,                                            -- the station's word
  station_id           INTEGER NOT NULL REFERENCES station (id),
  evse                 INTEGER NOT NULL,                                   -- 0: the station will say
  id_token             TEXT    NOT NULL,
  meter_start_wh       INTEGER,
  person_id            INTEGER REFERENCES person (id),                     -- NULL: nobody we know
  card_id              INTEGER REFERENCES card (id),
  wallet_id            INTEGER REFERENCES account (id),
  policy               TEXT    NOT NULL,                                   -- of the person's group, at the start; '' for nobody
  tariff_id            INTEGER REFERENCES tariff (id),                     -- NULL: nothing to pay
  authorization        TEXT    NOT NULL,                                   -- what the start was answered with
  requested_at_ms      INTEGER,
  requested_by         TEXT    NOT NULL DEFAULT '',
  received_at_ms       INTEGER,                                            -- when we heard of the start
  held_minor           INTEGER NOT NULL DEFAULT 0,                         -- sum of the slices hold|<id>|1 .. hold|<id>|<slices>
  slices               INTEGER NOT NULL DEFAULT 0,
  stop_wanted          TEXT    NOT NULL DEFAULT '',                        -- why the server wants it stopped: credit, blocked, operator
  ended_at_ms          INTEGER,                                            -- the station's word
  meter_stop_wh        INTEGER,
  stop_reason          TEXT    NOT NULL DEFAULT '',
  energy_wh            INTEGER NOT NULL DEFAULT 0,
  duration_s           INTEGER NOT NULL DEFAULT 0,
  idle_s               INTEGER NOT NULL DEFAULT 0,                         -- chargeable idle time
  net_minor            INTEGER NOT NULL DEFAULT 0,
  tax_minor            INTEGER NOT NULL DEFAULT 0,
  fee_minor            INTEGER NOT NULL DEFAULT 0,                         -- net and tax
  estimated            INTEGER NOT NULL DEFAULT 0 CHECK (estimated IN (0, 1)), -- closed without the station's stop
  parked_since_ms      INTEGER,                                            -- ended, but the cable is still in and idle time costs
  note                 TEXT    NOT NULL DEFAULT '', id_token_type TEXT NOT NULL DEFAULT '', read_wh INTEGER, stamped_at_ms INTEGER, start_source INTEGER NOT NULL DEFAULT 0 CHECK (start_source IN (0, 1, 2)), stood_still INTEGER NOT NULL DEFAULT 0 CHECK (stood_still IN (0, 1)), so_far_minor INTEGER CHECK (so_far_minor >= 0), pool_id INTEGER REFERENCES person (id), limited_by TEXT NOT NULL DEFAULT '', group_id INTEGER REFERENCES person_group (id), holiday_list_id INTEGER REFERENCES holiday_list (id),                        -- why it failed or needs review
  UNIQUE (started_at_ms, station_id, evse, id_token, meter_start_wh)
) STRICT;
CREATE INDEX session_by_person ON session (person_id, id) WHERE person_id IS NOT NULL;
CREATE INDEX session_by_pool ON session (pool_id, id) WHERE pool_id IS NOT NULL;
CREATE INDEX session_by_station ON session (station_id, id);
CREATE INDEX session_by_time ON session ((coalesce(started_at_ms, requested_at_ms)), id);
CREATE INDEX session_by_token ON session (id_token, id);
CREATE INDEX session_failed ON session (id) WHERE state = 'failed';
CREATE INDEX session_open ON session (station_id, id) WHERE state IN ('requested', 'running');
CREATE INDEX session_open_by_token ON session (id_token, id) WHERE state IN ('requested', 'running');
CREATE INDEX session_parked ON session (station_id, evse) WHERE parked_since_ms IS NOT NULL;
CREATE INDEX session_review ON session (id) WHERE state = 'review';
CREATE UNIQUE INDEX session_start ON session (
  coalesce(stamped_at_ms, started_at_ms), station_id, evse, id_token, meter_start_wh
);

CREATE TABLE session_day (
  day        TEXT    NOT NULL CHECK (length(day) = 10),                    -- 2026-11-23
  station_id INTEGER NOT NULL REFERENCES station (id),
  session_id INTEGER NOT NULL REFERENCES session (id),
  working_s  INTEGER NOT NULL,
  energy_wh  INTEGER NOT NULL,
  fee_minor  INTEGER NOT NULL,
  first_day  INTEGER NOT NULL CHECK (first_day IN (0, 1)),                 -- sessions are counted on the day they began
  PRIMARY KEY (day, session_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_day_by_session ON session_day (session_id);

CREATE TABLE session_figure (
  session_id    INTEGER NOT NULL REFERENCES session (id),
  energy_wh     INTEGER NOT NULL,
  position      INTEGER NOT NULL,                                          -- in which order they are offered
  duration_s    INTEGER NOT NULL,
  idle_s        INTEGER NOT NULL,
  ended_at_ms   INTEGER NOT NULL,
  meter_stop_wh INTEGER, net_minor INTEGER CHECK (net_minor >= 0), tax_minor INTEGER CHECK (tax_minor >= 0),
  PRIMARY KEY (session_id, energy_wh)
) STRICT, WITHOUT ROWID;

CREATE TABLE session_line (
  session_id   INTEGER NOT NULL REFERENCES session (id),
  position     INTEGER NOT NULL CHECK (position >= 0),                     -- on the bill
  line         INTEGER CHECK (line >= 0),                                  -- of the tariff, from 0; NULL: the difference to its minimum or maximum
  kind         TEXT    NOT NULL,                                           -- a dimension of the tariff's lines, 'minimum' or 'maximum'
  quantity     TEXT    NOT NULL,                                           -- Wh, milliseconds or times, exactly: '7200/1', '4860000/1333'
  amount_minor INTEGER NOT NULL, parts TEXT,                                           -- with tax where the prices are; negative: what is beyond the maximum
  PRIMARY KEY (session_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE shift (
  id             INTEGER PRIMARY KEY,
  drawer         INTEGER NOT NULL CHECK (drawer BETWEEN 1 AND 70),
  account_id     INTEGER NOT NULL REFERENCES account (id),
  actor          TEXT    NOT NULL,                                         -- whose it is: operator:3, token:2
  taken_over     INTEGER UNIQUE REFERENCES shift (id),                     -- whose counted money is its float; NULL: it came from the safe
  opened_at_ms   INTEGER NOT NULL,
  opened_seq     INTEGER NOT NULL,                                         -- the last row of the ledger before it
  float_minor    INTEGER NOT NULL CHECK (float_minor >= 0),
  float_pieces   TEXT    NOT NULL,                                         -- JSON: [[value, count], …]; [] if only the amount is known
  closed_at_ms   INTEGER,
  closed_by      TEXT,
  closed_seq     INTEGER,                                                  -- the last row of the ledger before it was closed
  expected_minor INTEGER,                                                  -- what had to be in the drawer then
  counted_minor  INTEGER CHECK (counted_minor >= 0),
  counted_pieces TEXT,
  reason         TEXT,                                                     -- what is known of a difference
  z_number       INTEGER UNIQUE,
  details        TEXT,                                                     -- JSON: names as they were when it was closed
  CHECK ((closed_at_ms IS NULL) = (z_number IS NULL)),
  CHECK ((closed_at_ms IS NULL) = (closed_by IS NULL)),
  CHECK ((closed_at_ms IS NULL) = (closed_seq IS NULL)),
  CHECK ((closed_at_ms IS NULL) = (expected_minor IS NULL)),
  CHECK ((closed_at_ms IS NULL) = (counted_minor IS NULL))
) STRICT;
CREATE INDEX shift_by_actor ON shift (actor, id);
CREATE UNIQUE INDEX shift_open_at ON shift (drawer) WHERE closed_at_ms IS NULL;
CREATE UNIQUE INDEX shift_open_of ON shift (actor) WHERE closed_at_ms IS NULL;
CREATE TRIGGER shift_begins BEFORE INSERT ON shift BEGIN
  SELECT RAISE(ABORT, 'a shift begins open') WHERE NEW.closed_at_ms IS NOT NULL;
END;
CREATE TRIGGER shift_is_closed_once BEFORE UPDATE ON shift BEGIN
  SELECT RAISE(ABORT, 'a closed shift never changes') WHERE OLD.closed_at_ms IS NOT NULL;
  SELECT RAISE(ABORT, 'a shift is closed, and nothing else') WHERE NEW.closed_at_ms IS NULL
    OR (NEW.id, NEW.drawer, NEW.account_id, NEW.actor, NEW.taken_over, NEW.opened_at_ms, NEW.opened_seq, NEW.float_minor, NEW.float_pieces)
    IS NOT (OLD.id, OLD.drawer, OLD.account_id, OLD.actor, OLD.taken_over, OLD.opened_at_ms, OLD.opened_seq, OLD.float_minor, OLD.float_pieces);
  SELECT RAISE(ABORT, 'gap in the Z reports') WHERE NEW.z_number IS NOT coalesce((SELECT max(z_number) FROM shift), 0) + 1
    AND (NEW.z_number % 1000000 <> 1 OR NEW.z_number < coalesce((SELECT max(z_number) FROM shift), 0));
END;
CREATE TRIGGER shift_no_delete BEFORE DELETE ON shift BEGIN SELECT RAISE(ABORT, 'shifts are never deleted'); END;

CREATE TABLE signed_value (
  session_id INTEGER NOT NULL REFERENCES session (id),
  position   INTEGER NOT NULL CHECK (position BETWEEN 1 AND 40),           -- in the order in which they came; a session keeps no more
  at_ms      INTEGER NOT NULL,                                             -- the station's word
  context    TEXT    NOT NULL,                                             -- Transaction.Begin, Transaction.End, …
  data       TEXT    NOT NULL CHECK (length(data) BETWEEN 1 AND 20000),
  digest     BLOB    NOT NULL CHECK (length(digest) = 32),
  PRIMARY KEY (session_id, position),
  UNIQUE (session_id, digest)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER signed_value_is_fixed BEFORE UPDATE ON signed_value BEGIN
  SELECT RAISE(ABORT, 'what was signed never changes') WHERE NEW.data <> OLD.data OR NEW.digest <> OLD.digest;
END;

CREATE TABLE site (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  name          TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  currency      TEXT    NOT NULL CHECK (length(currency) = 3),             -- ISO 4217
  exponent      INTEGER NOT NULL CHECK (exponent BETWEEN 0 AND 4),         -- ISO 4217: digits after the point
  timezone      TEXT    NOT NULL,                                          -- IANA name
  language      TEXT    NOT NULL,
  demo          INTEGER NOT NULL CHECK (demo IN (0, 1)),                   -- a demo never becomes a real site
  secret        BLOB    NOT NULL CHECK (length(secret) = 32),              -- the site's key: stations' passwords are hashed under it
  created_at_ms INTEGER NOT NULL,
  pulse_at_ms   INTEGER NOT NULL DEFAULT 0,                                -- the health check's commit
  backup_at_ms  INTEGER NOT NULL DEFAULT 0                                 -- when the last backup was made and verified
, receipts_from INTEGER NOT NULL DEFAULT 1, voucher_batches_from INTEGER NOT NULL DEFAULT 1, anchored INTEGER NOT NULL DEFAULT 0 CHECK (anchored IN (0, 1)), bills_from INTEGER NOT NULL DEFAULT 1, statements_from INTEGER NOT NULL DEFAULT 1, statements_month TEXT NOT NULL DEFAULT '') STRICT;
CREATE TRIGGER site_is_fixed BEFORE UPDATE ON site
WHEN NEW.currency <> OLD.currency OR NEW.exponent <> OLD.exponent OR NEW.timezone <> OLD.timezone OR NEW.demo <> OLD.demo
BEGIN SELECT RAISE(ABORT, 'currency, time zone and kind of a site are fixed for good'); END;
CREATE TRIGGER site_stays BEFORE DELETE ON site BEGIN SELECT RAISE(ABORT, 'a site is never deleted'); END;

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
CREATE INDEX statement_by_group ON statement (group_id, month, number);
CREATE INDEX statement_by_month ON statement (month, number);
CREATE TRIGGER statement_check BEFORE INSERT ON statement BEGIN
  SELECT RAISE(ABORT, 'gap in the statements') WHERE NEW.number IS NOT coalesce((SELECT max(number) FROM statement), 0) + 1
    AND (NEW.number % 1000000 <> 1 OR NEW.number < coalesce((SELECT max(number) FROM statement), 0));
END;
CREATE TRIGGER statement_no_delete BEFORE DELETE ON statement BEGIN SELECT RAISE(ABORT, 'statements never change'); END;
CREATE TRIGGER statement_no_update BEFORE UPDATE ON statement BEGIN SELECT RAISE(ABORT, 'statements never change'); END;

CREATE TABLE station (
  id               INTEGER PRIMARY KEY,
  identity         TEXT    NOT NULL UNIQUE CHECK (length(identity) BETWEEN 1 AND 255),
  name             TEXT    NOT NULL,
  state            TEXT    NOT NULL CHECK (state IN ('knocking', 'approved', 'retired')),
  password_hash    BLOB,                                                   -- HMAC-SHA-256 under the site's key
  vendor           TEXT    NOT NULL DEFAULT '',
  model            TEXT    NOT NULL DEFAULT '',
  serial           TEXT    NOT NULL DEFAULT '',
  firmware         TEXT    NOT NULL DEFAULT '',
  ocpp_version     TEXT    NOT NULL DEFAULT '',
  remote_address   TEXT    NOT NULL DEFAULT '',
  status           TEXT    NOT NULL DEFAULT '',                            -- of the station as a whole: connector 0
  error_code       TEXT    NOT NULL DEFAULT '',
  clock_skew_ms    INTEGER NOT NULL DEFAULT 0,                             -- its clock minus ours, last seen
  booted_at_ms     INTEGER,
  seen_at_ms       INTEGER,                                                -- when its last connection began or ended
  created_at_ms    INTEGER NOT NULL
, security_profile INTEGER NOT NULL DEFAULT 0 CHECK (security_profile BETWEEN 0 AND 3), bound_to TEXT NOT NULL DEFAULT '', next_password_hash BLOB, dismissed_at_ms INTEGER, log_since_ms INTEGER NOT NULL DEFAULT 0, place TEXT NOT NULL DEFAULT '') STRICT;

CREATE TABLE station_day (
  day        TEXT    NOT NULL CHECK (length(day) = 10),                    -- 2026-11-23
  station_id INTEGER NOT NULL REFERENCES station (id),
  working_s  INTEGER NOT NULL,
  energy_wh  INTEGER NOT NULL,
  fee_minor  INTEGER NOT NULL,
  sessions   INTEGER NOT NULL,                                             -- those that began on this day and have ended
  PRIMARY KEY (day, station_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE station_month (
  month      TEXT    NOT NULL CHECK (length(month) = 7),                   -- 2026-11
  station_id INTEGER NOT NULL REFERENCES station (id),
  working_s  INTEGER NOT NULL,
  energy_wh  INTEGER NOT NULL,
  fee_minor  INTEGER NOT NULL,
  sessions   INTEGER NOT NULL,
  PRIMARY KEY (month, station_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE station_newcomer (
  station_id INTEGER NOT NULL REFERENCES station (id),
  peer       TEXT    NOT NULL,                                             -- as station.bound_to
  address    TEXT    NOT NULL,
  seen_at_ms INTEGER NOT NULL,
  PRIMARY KEY (station_id, peer)
) STRICT, WITHOUT ROWID;

CREATE TABLE station_transaction (
  station_id  INTEGER NOT NULL REFERENCES station (id),
  name        TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  session_id  INTEGER NOT NULL UNIQUE REFERENCES session (id),
  next_seq    INTEGER NOT NULL DEFAULT 0,                                  -- the lowest number that has not been received
  last_seq    INTEGER,                                                     -- that of the message which ended it
  start_known INTEGER NOT NULL DEFAULT 0 CHECK (start_known IN (0, 1)),    -- 0: the lowest register seen stands for that of the start
  corrections INTEGER NOT NULL DEFAULT 0,                                  -- how often its bill was set right by late messages
  PRIMARY KEY (station_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE tariff (
  id                    INTEGER PRIMARY KEY,
  name                  TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  energy_milli_per_kwh  INTEGER NOT NULL CHECK (energy_milli_per_kwh BETWEEN 0 AND 1000000000000),
  time_milli_per_minute INTEGER NOT NULL CHECK (time_milli_per_minute BETWEEN 0 AND 1000000000000),
  idle_milli_per_minute INTEGER NOT NULL CHECK (idle_milli_per_minute BETWEEN 0 AND 1000000000000),
  idle_grace_s          INTEGER NOT NULL CHECK (idle_grace_s BETWEEN 0 AND 86400),
  flat_milli            INTEGER NOT NULL CHECK (flat_milli BETWEEN 0 AND 1000000000000),
  tax_basis_points      INTEGER NOT NULL CHECK (tax_basis_points BETWEEN 0 AND 10000),
  is_default            INTEGER NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),
  created_at_ms         INTEGER NOT NULL,
  archived_at_ms        INTEGER
, terms TEXT, valid_from_ms INTEGER, follows_id INTEGER REFERENCES tariff (id)) STRICT;
CREATE UNIQUE INDEX tariff_one_default ON tariff (is_default) WHERE is_default = 1;
CREATE TRIGGER tariff_is_fixed BEFORE UPDATE ON tariff
WHEN (NEW.energy_milli_per_kwh, NEW.time_milli_per_minute, NEW.idle_milli_per_minute, NEW.idle_grace_s, NEW.flat_milli, NEW.tax_basis_points, NEW.terms)
  IS NOT (OLD.energy_milli_per_kwh, OLD.time_milli_per_minute, OLD.idle_milli_per_minute, OLD.idle_grace_s, OLD.flat_milli, OLD.tax_basis_points, OLD.terms)
BEGIN SELECT RAISE(ABORT, 'a price never changes: add a new tariff'); END;

CREATE TABLE transfer (
  seq          INTEGER PRIMARY KEY,                                        -- gapless, 1..n
  key          TEXT    NOT NULL UNIQUE CHECK (length(key) BETWEEN 5 AND 100), -- its name for ever: the idempotency key
  op           TEXT    NOT NULL CHECK (op IN ('post', 'hold', 'capture', 'void')),
  debit        INTEGER NOT NULL REFERENCES account (id),
  credit       INTEGER NOT NULL REFERENCES account (id),
  amount_minor INTEGER NOT NULL CHECK (amount_minor BETWEEN 0 AND 100000000000),
  hold         TEXT    REFERENCES transfer (key),
  code         TEXT    NOT NULL,                                           -- topup, refund, charge, tax, overrun, correction
  reference    TEXT    NOT NULL,                                           -- the session's number, or why
  actor        TEXT    NOT NULL,                                           -- who: operator:3, token:2, station:17, clock
  at_ms        INTEGER NOT NULL,
  prev_hash    BLOB    NOT NULL CHECK (length(prev_hash) = 32),
  hash         BLOB    NOT NULL CHECK (length(hash) = 32),
  CHECK (debit <> credit),
  CHECK (amount_minor > 0 OR op IN ('void', 'capture')),
  CHECK ((op IN ('capture', 'void')) = (hold IS NOT NULL))
) STRICT;
CREATE INDEX transfer_credit ON transfer (credit, seq) WHERE op = 'post';
CREATE INDEX transfer_debit ON transfer (debit, seq) WHERE op IN ('post', 'capture');
CREATE INDEX transfer_given ON transfer (credit, amount_minor) WHERE op = 'post' AND code NOT IN ('topup', 'tax');
CREATE UNIQUE INDEX transfer_one_resolution ON transfer (hold) WHERE hold IS NOT NULL;
CREATE INDEX transfer_paid_out ON transfer (debit, seq) WHERE op = 'post' AND code NOT IN ('charge', 'tax', 'overrun');
CREATE TRIGGER transfer_apply AFTER INSERT ON transfer WHEN NEW.op IN ('post', 'capture') BEGIN
  UPDATE account SET
    debit_posted  = debit_posted  + NEW.amount_minor,
    debit_pending = debit_pending - CASE NEW.op WHEN 'post' THEN 0 ELSE (SELECT amount_minor FROM transfer WHERE key = NEW.hold) END,
    last_seq = NEW.seq WHERE id = NEW.debit;
  UPDATE account SET credit_posted = credit_posted + NEW.amount_minor, last_seq = NEW.seq WHERE id = NEW.credit;
END;
CREATE TRIGGER transfer_apply_hold AFTER INSERT ON transfer WHEN NEW.op IN ('hold', 'void') BEGIN
  UPDATE account SET
    debit_pending = debit_pending + CASE NEW.op WHEN 'hold' THEN NEW.amount_minor
                                    ELSE -(SELECT amount_minor FROM transfer WHERE key = NEW.hold) END,
    last_seq = NEW.seq WHERE id = NEW.debit;
  UPDATE account SET last_seq = NEW.seq WHERE id = NEW.credit;
END;
CREATE TRIGGER transfer_check BEFORE INSERT ON transfer BEGIN
  SELECT RAISE(ABORT, 'gap in the ledger')   WHERE NEW.seq IS NOT coalesce((SELECT max(seq) FROM transfer), 0) + 1;
  SELECT RAISE(ABORT, 'hash chain broken')   WHERE NEW.prev_hash IS NOT coalesce((SELECT hash FROM transfer WHERE seq = NEW.seq - 1), zeroblob(32));
  SELECT RAISE(ABORT, 'time ran backwards')  WHERE NEW.at_ms < (SELECT at_ms FROM transfer WHERE seq = NEW.seq - 1);
  SELECT RAISE(ABORT, 'not a hold')          WHERE NEW.hold IS NOT NULL AND NOT EXISTS (SELECT 1 FROM transfer AS h WHERE h.key = NEW.hold AND h.op = 'hold' AND h.debit = NEW.debit AND h.credit = NEW.credit);
  SELECT RAISE(ABORT, 'exceeds its hold')    WHERE NEW.op = 'capture' AND NEW.amount_minor > (SELECT amount_minor FROM transfer WHERE key = NEW.hold);
  SELECT RAISE(ABORT, 'a void moves nothing') WHERE NEW.op = 'void' AND NEW.amount_minor <> 0;
END;
CREATE TRIGGER transfer_no_delete BEFORE DELETE ON transfer BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER transfer_no_update BEFORE UPDATE ON transfer BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;

CREATE TABLE unknown_tag (
  token       TEXT    NOT NULL CHECK (length(token) BETWEEN 1 AND 255),
  station_id  INTEGER NOT NULL REFERENCES station (id),
  first_at_ms INTEGER NOT NULL,
  last_at_ms  INTEGER NOT NULL,
  times       INTEGER NOT NULL, id_token_type TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (token, station_id)
) STRICT, WITHOUT ROWID;

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
CREATE INDEX voucher_by_batch ON voucher (batch_id, state);
CREATE INDEX voucher_by_state ON voucher (state, id);
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
CREATE TRIGGER voucher_batch_no_delete BEFORE DELETE ON voucher_batch BEGIN SELECT RAISE(ABORT, 'a batch of vouchers never changes'); END;
CREATE TRIGGER voucher_batch_no_update BEFORE UPDATE ON voucher_batch BEGIN SELECT RAISE(ABORT, 'a batch of vouchers never changes'); END;

CREATE TABLE voucher_sheet (
  batch_id    INTEGER PRIMARY KEY REFERENCES voucher_batch (id),
  sealed      BLOB    NOT NULL CHECK (length(sealed) > 0),
  until_at_ms INTEGER NOT NULL
) STRICT;
