-- What an issued identity is used with: user ID and contacts sealed under the master key, found by a
-- keyed hash; `life` as JSON says whether it is blocked, and holds no personal data.
CREATE TABLE profiles (
  identity TEXT NOT NULL PRIMARY KEY REFERENCES identities (id),
  user_id_hash BYTEA UNIQUE,
  sealed BYTEA,
  life TEXT NOT NULL
);

-- Apps. `record` is the state as JSON: dates, counters, keyed hashes of codes; `pin` is sealed.
CREATE TABLE authenticators (
  id TEXT NOT NULL PRIMARY KEY,
  identity TEXT NOT NULL REFERENCES identities (id),
  public_key BYTEA NOT NULL,
  challenge TEXT NOT NULL,
  record TEXT NOT NULL,
  pin BYTEA,
  created_at BIGINT NOT NULL
);
CREATE INDEX authenticators_identity ON authenticators (identity, created_at);

-- Secrets that open one thing for an authenticator once: challenges, QR codes, codes that block. Only
-- their hashes are kept.
CREATE TABLE passes (
  hash BYTEA NOT NULL PRIMARY KEY,
  authenticator TEXT NOT NULL REFERENCES authenticators (id),
  purpose TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX passes_expiry ON passes (expires_at);
