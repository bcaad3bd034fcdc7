-- Events that registers have told, so that each is taken in once.
CREATE TABLE register_events (
  id TEXT NOT NULL PRIMARY KEY,
  taken_at BIGINT NOT NULL
);
