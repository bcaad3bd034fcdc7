-- Codes in notices that block a whole identity, beside those in `passes` that block one app. Only their
-- hashes are kept.
CREATE TABLE identity_blocks (
  hash BYTEA NOT NULL PRIMARY KEY,
  identity TEXT NOT NULL REFERENCES identities (id),
  expires_at BIGINT NOT NULL
);
CREATE INDEX identity_blocks_expiry ON identity_blocks (expires_at);
CREATE INDEX passes_authenticator ON passes (authenticator, purpose);
CREATE INDEX authenticators_key ON authenticators (public_key);
CREATE INDEX evidence_of_identity ON evidence (identity);
