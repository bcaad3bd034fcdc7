-- What must reach somebody outside: claimed by one server at a time until `due_at`, deleted once it
-- is delivered, kept as a dead letter after too many tries. `sealed` is under the master key.
CREATE TABLE outbox (
  id TEXT NOT NULL PRIMARY KEY,
  channel TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  tries BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  lease TEXT,
  dead BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX outbox_due ON outbox (dead, due_at);

-- Notices to the apps of an identity, sealed under the master key.
CREATE TABLE inbox (
  id TEXT NOT NULL PRIMARY KEY,
  identity TEXT NOT NULL REFERENCES identities (id),
  sealed BYTEA NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX inbox_identity ON inbox (identity, created_at);
