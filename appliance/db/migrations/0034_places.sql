-- Where a tariff holds instead of that of the group that pays; the most specific one counts: a connector's before its charger's before the
-- group's before the usual one.
CREATE TABLE place_tariff (
  station_id INTEGER NOT NULL REFERENCES station (id),
  evse       INTEGER NOT NULL CHECK (evse >= 0),                           -- 0: at the charger, where its connectors have none of their own
  tariff_id  INTEGER NOT NULL REFERENCES tariff (id),
  PRIMARY KEY (station_id, evse)
) STRICT, WITHOUT ROWID;
CREATE INDEX place_tariff_by_tariff ON place_tariff (tariff_id);

-- In which group who pays was when a session began, where lines of its tariff ask for it: moving somebody changes no session that runs.
ALTER TABLE session ADD COLUMN group_id INTEGER REFERENCES person_group (id);
