-- Bytes are one token with and without what separates them, also where they are six (the MAC of a car) or five: so far only UIDs were.
-- A number that is there in the new form already keeps it, its twin stays as it is, and is found by nobody any more.
UPDATE OR IGNORE card SET uid = replace(replace(replace(replace(replace(uid, ':', ''), '-', ''), '_', ''), '.', ''), ' ', '')
WHERE uid GLOB '*[-:_. ]*'
  AND replace(replace(replace(replace(replace(uid, ':', ''), '-', ''), '_', ''), '.', ''), ' ', '') NOT GLOB '*[^0-9A-F]*'
  AND length(replace(replace(replace(replace(replace(uid, ':', ''), '-', ''), '_', ''), '.', ''), ' ', '')) IN (10, 12, 18);

UPDATE OR IGNORE card_alias
SET token = replace(replace(replace(replace(replace(token, ':', ''), '-', ''), '_', ''), '.', ''), ' ', '')
WHERE token GLOB '*[-:_. ]*'
  AND replace(replace(replace(replace(replace(token, ':', ''), '-', ''), '_', ''), '.', ''), ' ', '') NOT GLOB '*[^0-9A-F]*'
  AND length(replace(replace(replace(replace(replace(token, ':', ''), '-', ''), '_', ''), '.', ''), ' ', '')) IN (10, 12, 18);

UPDATE session SET id_token = replace(replace(replace(replace(replace(id_token, ':', ''), '-', ''), '_', ''), '.', ''), ' ', '')
WHERE state IN ('requested', 'running') AND id_token GLOB '*[-:_. ]*'
  AND replace(replace(replace(replace(replace(id_token, ':', ''), '-', ''), '_', ''), '.', ''), ' ', '') NOT GLOB '*[^0-9A-F]*'
  AND length(replace(replace(replace(replace(replace(id_token, ':', ''), '-', ''), '_', ''), '.', ''), ' ', '')) IN (10, 12, 18);
