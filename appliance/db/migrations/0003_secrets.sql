-- What the site keeps secret for others, and the owner's key (docs/decisions/0013-secrets.md). The key that opens them is not in this file.

-- Keys of providers, passwords of mail servers, tokens of others, each sealed under its name. `self-check` is ours: whatever opens it
-- is the site's key.
CREATE TABLE sealed_secret (
  name          TEXT    PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 100),
  sealed        BLOB    NOT NULL CHECK (length(sealed) > 0),
  changed_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The public half of a key whose other half is words on paper, and the sealing key enclosed to it. It travels with every backup.
CREATE TABLE owner_key (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  public_key BLOB    NOT NULL CHECK (length(public_key) = 32),             -- X25519
  enclosed   BLOB    NOT NULL,
  made_at_ms INTEGER NOT NULL
) STRICT;
