-- The policy may have said otherwise than its default when the column came: servers fill in what the sealed value says.
-- By itself, so that no log-in waits for the change of the table meanwhile.
UPDATE passwords SET cost = '' WHERE cost = 'm=19456,t=2,p=1';
