-- Lists of people and cards are read in their order from an index, up to where a page is full; what one person or card did in all is
-- read from a sum. As in 0004: each index is the only good way to what it was made for, and the planner needs no statistics.

-- ---------------------------------------------------------------------------------------------------- people and cards

-- Telephone numbers as they are looked for, without what people write between the digits.
ALTER TABLE person ADD COLUMN phone_digits TEXT NOT NULL DEFAULT '';
UPDATE person SET phone_digits = replace(replace(replace(replace(replace(phone, ' ', ''), '-', ''), '(', ''), ')', ''), '+', '');

CREATE INDEX person_by_name ON person (name COLLATE NOCASE, id);
CREATE INDEX person_left_by_name ON person (name COLLATE NOCASE, id) WHERE closed_at_ms IS NOT NULL;
-- Of a group by name, with the wallets to sum up.
CREATE INDEX person_by_group_and_name ON person (group_id, closed_at_ms, name COLLATE NOCASE, id, wallet_id);
CREATE INDEX card_by_label ON card ((label = ''), label COLLATE NOCASE, id DESC);

-- --------------------------------------------------------------------------------------------------------------- money

-- Who owes, who has most. The site's own accounts, which every transfer changes, are not in it.
CREATE INDEX account_by_balance ON account ((credit_posted - debit_posted), id) WHERE kind = 'wallet';
-- The same effect of a transfer as before, but what is held moves no balance, and writes nothing into the index of balances.
DROP TRIGGER transfer_apply;
CREATE TRIGGER transfer_apply_hold AFTER INSERT ON transfer WHEN NEW.op IN ('hold', 'void') BEGIN
  UPDATE account SET
    debit_pending = debit_pending + CASE NEW.op WHEN 'hold' THEN NEW.amount_minor
                                    ELSE -(SELECT amount_minor FROM transfer WHERE key = NEW.hold) END,
    last_seq = NEW.seq WHERE id = NEW.debit;
  UPDATE account SET last_seq = NEW.seq WHERE id = NEW.credit;
END;
CREATE TRIGGER transfer_apply AFTER INSERT ON transfer WHEN NEW.op IN ('post', 'capture') BEGIN
  UPDATE account SET
    debit_posted  = debit_posted  + NEW.amount_minor,
    debit_pending = debit_pending - CASE NEW.op WHEN 'post' THEN 0 ELSE (SELECT amount_minor FROM transfer WHERE key = NEW.hold) END,
    last_seq = NEW.seq WHERE id = NEW.debit;
  UPDATE account SET credit_posted = credit_posted + NEW.amount_minor, last_seq = NEW.seq WHERE id = NEW.credit;
END;
-- What came into a wallet otherwise than by a top-up: so little that all top-ups are known by it and by all that came in.
CREATE INDEX transfer_given ON transfer (credit, amount_minor) WHERE op = 'post' AND code NOT IN ('topup', 'tax');

-- ------------------------------------------------------------------------------------------------------------ sessions

-- What a person's sessions on a card came to, by those that are over: kept in the commit of each bill, compared with the sessions every
-- night. Sessions stay with whom they were billed to, also when the card goes to somebody else.
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

INSERT INTO holder_sum (person_id, card_id, working_s, energy_wh, fee_minor, sessions)
SELECT person_id, coalesce(card_id, 0), sum(duration_s), sum(energy_wh), sum(fee_minor), count(*) FROM session
WHERE person_id IS NOT NULL AND state IN ('ended', 'review') GROUP BY person_id, coalesce(card_id, 0);

-- Which therefore need not be summed up in an index any more. A person's page lists what they did by when it was over; the list of their
-- sessions has all of them by number.
DROP INDEX session_by_person;
CREATE INDEX session_by_person ON session (person_id, ended_at_ms) WHERE person_id IS NOT NULL;
CREATE INDEX session_by_person_in_order ON session (person_id, id) WHERE person_id IS NOT NULL;
