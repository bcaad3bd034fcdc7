-- At what cost a password was hashed (RFC 9106): those before were made at what the policy says by default. Found
-- in order, so that the costs in use are told without a look at each row.
ALTER TABLE passwords ADD COLUMN cost TEXT NOT NULL DEFAULT 'm=19456,t=2,p=1';
CREATE INDEX passwords_cost ON passwords (cost);
