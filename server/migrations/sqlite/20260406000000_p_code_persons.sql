-- Whom a P-code was issued to, by a keyed hash: a person without a CPR number is found again by it. Codes
-- of before have none.
ALTER TABLE p_codes ADD COLUMN person_hash BLOB;
CREATE INDEX p_codes_person ON p_codes (person_hash);
