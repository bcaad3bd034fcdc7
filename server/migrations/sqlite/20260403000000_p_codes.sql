-- P-codes: found by a keyed hash. `record` is the code's state as JSON; `sealed` says whose it is,
-- under the master key.
CREATE TABLE p_codes (
  id TEXT NOT NULL PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  record TEXT NOT NULL,
  officer TEXT NOT NULL REFERENCES officers (name),
  sealed BLOB NOT NULL,
  created_at INTEGER NOT NULL
);
