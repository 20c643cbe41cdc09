-- Lists that people sort: by name and label as they count (domain/order.py), so that Gate 2 stands before Gate 10.

ALTER TABLE person ADD COLUMN name_key TEXT NOT NULL DEFAULT '';           -- its name to sort by
UPDATE person SET name_key = sort_key(name);
DROP INDEX person_by_name;
DROP INDEX person_left_by_name;
DROP INDEX person_by_group_and_name;
CREATE INDEX person_by_name ON person (name_key, id);
CREATE INDEX person_left_by_name ON person (name_key, id) WHERE closed_at_ms IS NOT NULL;
CREATE INDEX person_by_group_and_name ON person (group_id, closed_at_ms, name_key, id, wallet_id);

ALTER TABLE card ADD COLUMN label_key TEXT NOT NULL DEFAULT '';            -- its label to sort by
UPDATE card SET label_key = sort_key(label);
DROP INDEX card_by_label;
CREATE INDEX card_by_label ON card ((label = ''), label_key, id);

-- By telephone: who is entered twice, and the list in that order.
UPDATE person SET phone_digits = replace(replace(phone_digits, '.', ''), '/', '');
CREATE INDEX person_by_phone ON person (phone_digits, id);

-- With whom everything of theirs is, since two who were one were merged.
ALTER TABLE person ADD COLUMN merged_into INTEGER REFERENCES person (id);

-- The largest receipts. One comes with a hand at a desk, not with a message.
CREATE INDEX receipt_by_amount ON receipt (amount_minor, number);
