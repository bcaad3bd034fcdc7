-- P-codes: found by a keyed hash. `record` is the code's state as JSON; `sealed` says whose it is,
-- under the master key.
CREATE TABLE p_codes (
  id TEXT NOT NULL PRIMARY KEY,
  hash BYTEA NOT NULL UNIQUE,
  record TEXT NOT NULL,
  officer TEXT NOT NULL REFERENCES officers (name),
  sealed BYTEA NOT NULL,
  created_at BIGINT NOT NULL
);
