-- Lists of people and cards are read in their order from an index, up to where a page is full; what one person or card did in all is
-- read from a sum. As in 0004: each index is the only good way to what it was made for, and the planner needs no statistics.

-- ---------------------------------------------------------------------------------------------------- people and cards

CREATE INDEX person_by_name ON person (name COLLATE NOCASE, id);
CREATE INDEX person_left_by_name ON person (name COLLATE NOCASE, id) WHERE closed_at_ms IS NOT NULL;
-- Of a group by name, with the wallets to sum up.
CREATE INDEX person_by_group_and_name ON person (group_id, closed_at_ms, name COLLATE NOCASE, id, wallet_id);
CREATE INDEX card_by_label ON card ((label = ''), label COLLATE NOCASE, id DESC);

-- --------------------------------------------------------------------------------------------------------------- money

-- Who owes, who has most. The site's own accounts, which every transfer changes, are not in it.
CREATE INDEX account_by_balance ON account ((credit_posted - debit_posted), id) WHERE kind = 'wallet';
-- What is held: a few accounts at a time.
CREATE INDEX account_held ON account (debit_pending) WHERE debit_pending > 0;
-- What was paid into a wallet in all is summed up in the index alone.
CREATE INDEX transfer_paid_in ON transfer (credit, amount_minor) WHERE op = 'post' AND code = 'topup';
