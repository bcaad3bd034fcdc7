-- Code displays and audio code readers. `seed` is sealed under the master key; `record` is the state as JSON
-- and `state` its name; `active_of` is the identity of an active one, so that nobody has two; `step` is that
-- of the last code that was taken: only a later one counts.
CREATE TABLE code_devices (
  id TEXT NOT NULL PRIMARY KEY,
  serial TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  seed BLOB NOT NULL,
  identity TEXT REFERENCES identities (id),
  active_of TEXT UNIQUE,
  state TEXT NOT NULL,
  record TEXT NOT NULL,
  step INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX code_devices_identity ON code_devices (identity);
CREATE INDEX code_devices_state ON code_devices (state, kind, created_at);

-- The password beside a code device: what it is compared with, sealed; wrong tries as JSON; `untold` is until
-- when nothing is taken, as long as the person has not been told.
CREATE TABLE passwords (
  identity TEXT NOT NULL PRIMARY KEY REFERENCES identities (id),
  sealed BLOB NOT NULL,
  tries TEXT NOT NULL,
  untold INTEGER
);
CREATE INDEX passwords_untold ON passwords (untold);

-- Secrets of notices that block one code device; hashes.
CREATE TABLE code_device_blocks (
  hash BLOB NOT NULL PRIMARY KEY,
  device TEXT NOT NULL REFERENCES code_devices (id),
  expires_at INTEGER NOT NULL
);
CREATE INDEX code_device_blocks_expiry ON code_device_blocks (expires_at);

-- How often a code was typed on the page of a log-in, whoever it was of.
ALTER TABLE log_ins ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
