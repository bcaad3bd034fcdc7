-- At what cost a password was hashed, where that is known: '' is not. The policy may have said otherwise than its
-- default when the column came, and a server of before that writes none: servers fill in what the sealed value says.
CREATE TABLE passwords_anew (
  identity TEXT NOT NULL PRIMARY KEY REFERENCES identities (id),
  sealed BLOB NOT NULL,
  tries TEXT NOT NULL,
  untold INTEGER,
  cost TEXT NOT NULL DEFAULT ''
);
INSERT INTO passwords_anew (identity, sealed, tries, untold, cost)
SELECT identity, sealed, tries, untold, CASE cost WHEN 'm=19456,t=2,p=1' THEN '' ELSE cost END FROM passwords;
DROP TABLE passwords;
ALTER TABLE passwords_anew RENAME TO passwords;
CREATE INDEX passwords_untold ON passwords (untold);
CREATE INDEX passwords_cost ON passwords (cost);
