-- At what cost a password was hashed, where that is known: '' is not. A server of before there was a cost writes none.
ALTER TABLE passwords ALTER COLUMN cost SET DEFAULT '';
