-- At what cost a password was hashed, where that is known: '' is not. A server of before there was a cost writes none.
CREATE TABLE passwords_anew (
  identity TEXT NOT NULL PRIMARY KEY REFERENCES identities (id),
  sealed BLOB NOT NULL,
  tries TEXT NOT NULL,
  untold INTEGER,
  cost TEXT NOT NULL DEFAULT ''
);
INSERT INTO passwords_anew (identity, sealed, tries, untold, cost)
SELECT identity, sealed, tries, untold, cost FROM passwords;
DROP TABLE passwords;
ALTER TABLE passwords_anew RENAME TO passwords;
CREATE INDEX passwords_untold ON passwords (untold);
CREATE INDEX passwords_cost ON passwords (cost);
