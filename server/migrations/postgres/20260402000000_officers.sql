-- Officers of Borgercenters. `record` is the account's standing as JSON; `sealed` has the password's
-- hash and the secret of the one-time codes, under the master key.
CREATE TABLE officers (
  name TEXT NOT NULL PRIMARY KEY,
  record TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  created_at BIGINT NOT NULL
);

-- Officers who are signed in; the hash of the token only.
CREATE TABLE officer_sessions (
  hash BYTEA NOT NULL PRIMARY KEY,
  officer TEXT NOT NULL REFERENCES officers (name),
  expires_at BIGINT NOT NULL
);

-- What officers decided, with the reason sealed under the master key; kept also after a refusal, for
-- whoever complains of it.
CREATE TABLE rulings (
  id TEXT NOT NULL PRIMARY KEY,
  enrolment TEXT REFERENCES enrolments (id),
  identity TEXT REFERENCES identities (id),
  officer TEXT NOT NULL REFERENCES officers (name),
  witness TEXT REFERENCES identities (id),
  sealed BYTEA NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX rulings_enrolment ON rulings (enrolment);
CREATE INDEX rulings_witness ON rulings (witness, created_at);
