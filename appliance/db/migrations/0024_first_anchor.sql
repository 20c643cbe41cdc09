-- Books beside which no anchor lies yet say so themselves: a start that ends before it has put one there, or a site that is set up long
-- before its first start, is not taken for one whose anchors somebody took away.
ALTER TABLE site ADD COLUMN anchored INTEGER NOT NULL DEFAULT 0 CHECK (anchored IN (0, 1));
UPDATE site SET anchored = 1
WHERE EXISTS (SELECT 1 FROM anchor) OR EXISTS (SELECT 1 FROM audit WHERE action = 'site.anchor');
