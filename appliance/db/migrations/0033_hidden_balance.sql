-- Whether those who charge from a pool see what is in it, on the page that their card opens: a family does, a company's drivers need not.
ALTER TABLE person ADD COLUMN hides_balance INTEGER NOT NULL DEFAULT 0 CHECK (hides_balance IN (0, 1));
