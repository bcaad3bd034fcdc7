-- What has happened to an identity, as its person reads it: `kind` to filter by; what, where and by what means
-- is sealed under the master key. `happened_at` is in microseconds since 1970. Forgotten after
-- `policy.my_page.activity_days`, and erased with the identity.
CREATE TABLE activities (
  id TEXT NOT NULL PRIMARY KEY,
  identity TEXT NOT NULL REFERENCES identities (id),
  kind TEXT NOT NULL,
  sealed BLOB NOT NULL,
  happened_at INTEGER NOT NULL
);
CREATE INDEX activities_identity ON activities (identity, happened_at, id);
CREATE INDEX activities_time ON activities (happened_at);

-- Sessions of My page; the hash of the token only. Each is worth something while the log-in that it came of is a
-- session (`log_in`; nothing where the app opened it), and the identity is open and in the same epoch.
CREATE TABLE my_sessions (
  hash BLOB NOT NULL PRIMARY KEY,
  identity TEXT NOT NULL REFERENCES identities (id),
  log_in TEXT,
  authenticator TEXT,
  epoch INTEGER NOT NULL,
  approved_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
);
CREATE INDEX my_sessions_identity ON my_sessions (identity);
CREATE INDEX my_sessions_expiry ON my_sessions (expires_at);

-- When an app was used last.
ALTER TABLE authenticators ADD COLUMN used_at INTEGER;

-- What an officer is there for: `borgercenter` or `support`.
ALTER TABLE officers ADD COLUMN role TEXT NOT NULL DEFAULT 'borgercenter';

-- Identities that their person had erased, and until when what the law asks for is kept of them.
CREATE TABLE erasures (
  identity TEXT NOT NULL PRIMARY KEY REFERENCES identities (id),
  erased_at INTEGER NOT NULL,
  keep_until INTEGER
);
CREATE INDEX erasures_due ON erasures (keep_until);
