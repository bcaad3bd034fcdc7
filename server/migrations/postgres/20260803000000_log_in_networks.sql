-- The network of the browser in which a log-in began, coarsened; sealed under the master key. Nothing where no
-- browser began it, or its address is not known.
ALTER TABLE log_ins ADD COLUMN network BYTEA;
