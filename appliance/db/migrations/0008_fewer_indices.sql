-- Every index of sessions scatters the rows of a commit over some more pages: what can be found by another goes.

-- A person's sessions are listed by number, as they began; the other list went by when they were over, and was written twice for each.
DROP INDEX session_by_person;
DROP INDEX session_by_person_in_order;
CREATE INDEX session_by_person ON session (person_id, id) WHERE person_id IS NOT NULL;
-- What is open is put in order when it is looked for; there are as many as connectors.
DROP INDEX session_open_in_order;
-- Made anew, because of ways that seem equal the planner takes the newer.
DROP INDEX session_open;
CREATE INDEX session_open ON session (station_id, id) WHERE state IN ('requested', 'running');
DROP INDEX session_open_by_token;
CREATE INDEX session_open_by_token ON session (id_token, id) WHERE state IN ('requested', 'running');
