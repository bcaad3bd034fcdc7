-- At what cost a password was hashed, where that is known: '' is not. The policy may have said otherwise than its
-- default when the column came, and a server of before that writes none: servers fill in what the sealed value says.
ALTER TABLE passwords ALTER COLUMN cost SET DEFAULT '';
UPDATE passwords SET cost = '' WHERE cost = 'm=19456,t=2,p=1';
