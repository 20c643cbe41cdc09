-- How much of the message log is whose. Counted once a minute from the rows that have come since, never with a message: a station
-- that writes much must not push out what others wrote, nor fill the disk.

CREATE TABLE message_log_size (
  station_id INTEGER PRIMARY KEY REFERENCES station (id),
  bytes      INTEGER NOT NULL CHECK (bytes >= 0),                          -- of its rows up to counted_id
  counted_id INTEGER NOT NULL,                                             -- up to which row all stations' were counted then
  oldest_id  INTEGER NOT NULL                                              -- it has no row before this one
) STRICT;
