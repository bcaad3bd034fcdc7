-- References by which a Borgercenter opens a referred case: one of each case, its hash only.
CREATE TABLE booking_references (
  hash BYTEA NOT NULL PRIMARY KEY,
  enrolment TEXT NOT NULL UNIQUE REFERENCES enrolments (id),
  expires_at BIGINT NOT NULL
);

-- The kiosk that goes on with a case: one of each case, the hash of its token only.
CREATE TABLE desk_sessions (
  hash BYTEA NOT NULL PRIMARY KEY,
  enrolment TEXT NOT NULL UNIQUE REFERENCES enrolments (id),
  kiosk TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);

-- When a case that waits for a Borgercenter was referred: the officers' queue.
ALTER TABLE enrolments ADD COLUMN referred_at BIGINT;
CREATE INDEX enrolments_referred ON enrolments (referred_at);
