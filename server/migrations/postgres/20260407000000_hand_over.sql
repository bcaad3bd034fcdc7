-- Who helped somebody hands the finished case over: 1 where the code is for the person's own device and the
-- helper's may show a new one until it is used, 0 where a kiosk opened the case.
ALTER TABLE pick_ups ADD COLUMN by_helper BIGINT NOT NULL DEFAULT 0;
