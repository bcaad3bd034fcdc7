-- One row per enrolment. `record` is the case as JSON and holds no personal data; what is personal
-- lies in `sealed`, under the data key in `data_keys`: deleting that key erases it.
CREATE TABLE enrolments (
  id TEXT NOT NULL PRIMARY KEY,
  token_hash BYTEA NOT NULL,
  record TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended BIGINT NOT NULL
);
CREATE INDEX enrolments_open ON enrolments (ended, expires_at);

CREATE TABLE data_keys (
  enrolment TEXT NOT NULL PRIMARY KEY REFERENCES enrolments (id),
  wrapped BYTEA NOT NULL
);

CREATE TABLE sealed (
  enrolment TEXT NOT NULL REFERENCES enrolments (id),
  name TEXT NOT NULL,
  bytes BYTEA NOT NULL,
  PRIMARY KEY (enrolment, name)
);

-- One-use tickets for the chip relay; only their hashes are kept.
CREATE TABLE tickets (
  hash BYTEA NOT NULL PRIMARY KEY,
  enrolment TEXT NOT NULL REFERENCES enrolments (id),
  expires_at BIGINT NOT NULL,
  used BIGINT NOT NULL
);

-- Issued identities: one per person, whatever number of enrolments led to it.
CREATE TABLE identities (
  id TEXT NOT NULL PRIMARY KEY,
  person_hash BYTEA NOT NULL UNIQUE,
  enrolment TEXT NOT NULL REFERENCES enrolments (id),
  sealed BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- What each issuing rested on, sealed under the master key; kept for as long as the law asks.
CREATE TABLE evidence (
  enrolment TEXT NOT NULL PRIMARY KEY REFERENCES enrolments (id),
  identity TEXT NOT NULL REFERENCES identities (id),
  sealed BYTEA NOT NULL,
  created_at BIGINT NOT NULL
);

-- A document proves one person only.
CREATE TABLE documents (
  hash BYTEA NOT NULL PRIMARY KEY,
  person_hash BYTEA NOT NULL,
  identity TEXT NOT NULL REFERENCES identities (id)
);

-- Append-only; each row's hash covers the row and the hash before it.
CREATE TABLE audit (
  seq BIGINT NOT NULL PRIMARY KEY,
  entry TEXT NOT NULL
);
