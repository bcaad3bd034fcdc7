-- Relying parties of OpenID Connect. `record` is the registration as JSON: no secret, only its hash.
CREATE TABLE relying_parties (
  client_id TEXT NOT NULL PRIMARY KEY,
  record TEXT NOT NULL,
  disabled_at BIGINT,
  created_at BIGINT NOT NULL
);

-- Log-ins, from the pushed request to the end of the session that came of them. Each of `request`,
-- `browser`, `switch`, `code` and `token` is the hash of a secret that opens one step; `user_hash` is the
-- keyed hash of the user ID that was typed; `sealed` has the request, under the master key; `state` is
-- JSON and holds no personal data.
CREATE TABLE log_ins (
  id TEXT NOT NULL PRIMARY KEY,
  client_id TEXT NOT NULL REFERENCES relying_parties (client_id),
  request BYTEA UNIQUE,
  browser BYTEA UNIQUE,
  switch BYTEA UNIQUE,
  code BYTEA UNIQUE,
  token BYTEA UNIQUE,
  user_hash BYTEA,
  identity TEXT REFERENCES identities (id),
  sealed BYTEA NOT NULL,
  state TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX log_ins_user ON log_ins (user_hash);
CREATE INDEX log_ins_identity ON log_ins (identity);
CREATE INDEX log_ins_expiry ON log_ins (expires_at);

-- Whom a sector knows under which subject identifier (OpenID Connect Core §8.1).
CREATE TABLE subjects (
  sector TEXT NOT NULL,
  subject TEXT NOT NULL,
  identity TEXT NOT NULL REFERENCES identities (id),
  PRIMARY KEY (sector, subject)
);

-- Client assertions that were used (RFC 7523 §3), while they could be used again.
CREATE TABLE client_assertions (
  hash BYTEA NOT NULL PRIMARY KEY,
  expires_at BIGINT NOT NULL
);

-- The personal number of whom an identity is of, and whether name and address are protected, under the
-- master key: until `erase_at`, which a block sets and opening again takes away.
CREATE TABLE personal_numbers (
  identity TEXT NOT NULL PRIMARY KEY REFERENCES identities (id),
  sealed BYTEA NOT NULL,
  erase_at BIGINT
);
CREATE INDEX personal_numbers_erasure ON personal_numbers (erase_at);
