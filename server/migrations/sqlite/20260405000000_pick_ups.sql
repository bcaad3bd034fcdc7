-- Whose an identity is that was proved at a Borgercenter. A row is there as soon as a kiosk has opened the
-- case: from then on the token of its start gives no right to what comes of it. `code` is the keyed hash
-- of the one-time code, `owner` the hash of the token that it made.
CREATE TABLE pick_ups (
  enrolment TEXT NOT NULL PRIMARY KEY REFERENCES enrolments (id),
  code BLOB UNIQUE,
  expires_at INTEGER,
  owner BLOB
);
INSERT INTO pick_ups (enrolment) SELECT enrolment FROM desk_sessions;
