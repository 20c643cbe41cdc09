-- What is kept of stations is no longer in the words of one version of OCPP.

-- ---------------------------------------------------------------------------------------------------------- connectors

-- Whether a connector can be had is `status`, in the words of OCPP 2.x: Available, Occupied, Reserved, Unavailable, Faulted, or
-- '' for another; what a transaction does there is `charging_state`; `finer_status` is the station's own word where it has finer
-- ones (OCPP 1.6), or one that nobody knows.
ALTER TABLE connector ADD COLUMN charging_state TEXT NOT NULL DEFAULT '';
ALTER TABLE connector ADD COLUMN finer_status TEXT NOT NULL DEFAULT '';

UPDATE connector SET finer_status = status WHERE status NOT IN ('Available', 'Reserved', 'Unavailable', 'Faulted');
UPDATE connector SET
  charging_state = CASE finer_status
    WHEN 'Charging' THEN 'Charging' WHEN 'SuspendedEV' THEN 'SuspendedEV' WHEN 'SuspendedEVSE' THEN 'SuspendedEVSE'
    WHEN 'Finishing' THEN 'EVConnected' ELSE '' END,
  status = CASE WHEN finer_status IN ('Preparing', 'Charging', 'SuspendedEV', 'SuspendedEVSE', 'Finishing')
    THEN 'Occupied' ELSE '' END
WHERE finer_status <> '';

-- ------------------------------------------------------------------------------------------------------------ stations

-- OCPP knows security profiles 0 to 3. A CHECK cannot be changed, so the column is made anew.
ALTER TABLE station ADD COLUMN profile INTEGER NOT NULL DEFAULT 0 CHECK (profile BETWEEN 0 AND 3);
UPDATE station SET profile = security_profile;
ALTER TABLE station DROP COLUMN security_profile;
ALTER TABLE station RENAME COLUMN profile TO security_profile;

-- ----------------------------------------------------------------------------------------------------------- id tokens

-- Of what type an id token is (domain/id_token.py); '' where nobody has told, as in OCPP 1.6.
ALTER TABLE card ADD COLUMN id_token_type TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN id_token_type TEXT NOT NULL DEFAULT '';
ALTER TABLE unknown_tag ADD COLUMN id_token_type TEXT NOT NULL DEFAULT '';
