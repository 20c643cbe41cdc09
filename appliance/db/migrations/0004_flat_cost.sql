-- What pages, live tiles and chargers ask for is found by an index, however much has happened before; long reports are read from sums.
--
-- The planner has no statistics and needs none: each of these indices is the only good way to what it was made for. Indices of tables
-- that every session writes are few, because each scatters the rows of a commit over some more pages.

-- ------------------------------------------------------------------------------------------------------------ sessions

-- What somebody should look at, and what came to nothing.
CREATE INDEX session_review ON session (id) WHERE state = 'review';
CREATE INDEX session_failed ON session (id) WHERE state = 'failed';
CREATE INDEX session_by_station ON session (station_id, id);
-- Also the way to the sessions of a card, whose token never changes.
CREATE INDEX session_by_token ON session (id_token, id);
-- Lists of some days. A wish has not started.
CREATE INDEX session_by_time ON session ((coalesce(started_at_ms, requested_at_ms)), id);
-- A person's page lists what they did by when it was over (what is open has no end), and sums it up, for which the index has all it needs:
-- whoever pays for a fleet has tens of thousands of sessions.
DROP INDEX session_by_person;
CREATE INDEX session_by_person ON session (person_id, ended_at_ms, state, duration_s, energy_wh, fee_minor) WHERE person_id IS NOT NULL;
-- What is open: a few rows, whatever the number of sessions; in order, by place and by token. Made after those of all sessions: of two
-- ways that seem equal the planner takes the newer, and without statistics they seem equal.
CREATE INDEX session_open_in_order ON session (id) WHERE state IN ('requested', 'running');
DROP INDEX session_open;
CREATE INDEX session_open ON session (station_id, id) WHERE state IN ('requested', 'running');
DROP INDEX session_open_by_token;
CREATE INDEX session_open_by_token ON session (id_token, id) WHERE state IN ('requested', 'running');
-- A bill that is corrected takes its days back.
CREATE INDEX session_day_by_session ON session_day (session_id);

-- Sums of `session_day` by day and station, and of those by month: kept in the same commit, compared with their rows every night.
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

INSERT INTO station_day (day, station_id, working_s, energy_wh, fee_minor, sessions)
SELECT day, station_id, sum(working_s), sum(energy_wh), sum(fee_minor), sum(first_day) FROM session_day GROUP BY day, station_id;

INSERT INTO station_month (month, station_id, working_s, energy_wh, fee_minor, sessions)
SELECT substr(day, 1, 7), station_id, sum(working_s), sum(energy_wh), sum(fee_minor), sum(sessions)
FROM station_day GROUP BY substr(day, 1, 7), station_id;

-- ----------------------------------------------------------------------------------------------------- money and cards

-- What went out of an account otherwise than for charging: of a wallet, what was paid back or corrected.
CREATE INDEX transfer_paid_out ON transfer (debit, seq) WHERE op = 'post' AND code NOT IN ('charge', 'tax', 'overrun');
CREATE INDEX receipt_by_card ON receipt (card_id, number) WHERE card_id IS NOT NULL;
-- Which cards have died since a moment: chargers that come back are told.
CREATE INDEX card_expires ON card (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
CREATE INDEX card_blocked ON card (blocked_at_ms) WHERE blocked_at_ms IS NOT NULL;
-- How many are in a group is counted in the index alone.
DROP INDEX person_by_group;
CREATE INDEX person_by_group ON person (group_id, closed_at_ms);
CREATE INDEX person_closed ON person (closed_at_ms) WHERE closed_at_ms IS NOT NULL;

-- ------------------------------------------------------------------------------------------------------ desks and audit

CREATE INDEX desk_job_by_desk ON desk_job (desk, id);
-- As with sessions: what is not over, made last.
CREATE INDEX desk_job_open_in_order ON desk_job (id) WHERE state IN ('waiting', 'writing', 'torn');
DROP INDEX desk_job_open;
CREATE INDEX desk_job_open ON desk_job (desk, id) WHERE state IN ('waiting', 'writing', 'torn');
CREATE INDEX audit_by_action ON audit (action, seq);
CREATE INDEX audit_by_actor ON audit (actor, action, seq);
