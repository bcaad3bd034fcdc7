-- Whose the device was when the notice was sent that the secret is in: one whose order is off becomes somebody
-- else's.
ALTER TABLE code_device_blocks ADD COLUMN identity TEXT NOT NULL DEFAULT '';
UPDATE code_device_blocks SET identity =
  COALESCE((SELECT code_devices.identity FROM code_devices WHERE code_devices.id = code_device_blocks.device), '');
