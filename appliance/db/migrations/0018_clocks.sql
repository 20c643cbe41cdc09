-- What a station's clock says is kept beside what is reckoned with: `started_at_ms` and `ended_at_ms` are when a session began and ended
-- as far as this server knows, its station's word only where that waited in a queue.

-- The station's own time for the start, which makes it this start when it comes again; NULL where it is `started_at_ms`.
ALTER TABLE session ADD COLUMN stamped_at_ms INTEGER;

-- Where the start came from: 0 a queue, 1 live, 2 as old as the status before it (domain/moments.py).
ALTER TABLE session ADD COLUMN start_source INTEGER NOT NULL DEFAULT 0 CHECK (start_source IN (0, 1, 2));

-- Its station dated the stop no later than the start: a clock that stands still tells no start from the next.
ALTER TABLE session ADD COLUMN stood_still INTEGER NOT NULL DEFAULT 0 CHECK (stood_still IN (0, 1));

CREATE UNIQUE INDEX session_start ON session (
  coalesce(stamped_at_ms, started_at_ms), station_id, evse, id_token, meter_start_wh
);
