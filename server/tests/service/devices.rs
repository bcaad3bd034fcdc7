//! Code devices as their people hold them, made and known by the test.

use super::desk::{Citizen, Desk, PHONE, code_in};
use enroll_core::code_device::Kind;
use enroll_core::totp::{Algorithm, Seed, step_at};
use serde_json::{Value, json};
use server::app::{NewDevice, Parcel, StockError, import_code_devices, post_code_devices};
use server::clock::{SystemEntropy, random};
use server::config::Config;
use server::notices::standin::Arrived;
use time::Duration;
use zeroize::Zeroizing;

pub const PASSWORD: &str = "hest batteri hæfteklamme";

/// Passwords and PINs are hashed quickly.
pub fn quick(config: &mut Config) {
    (config.policy.activation.pin_memory_kib, config.policy.activation.pin_passes) = (64, 1);
    config.policy.code_devices.refusal_ms = 0;
}

/// A device, as the maker made it.
pub struct Device {
    pub serial: String,
    pub key: Vec<u8>,
    algorithm: Algorithm,
}

impl Device {
    fn seed(&self) -> Seed {
        Seed::new(self.algorithm, Zeroizing::new(self.key.clone())).unwrap()
    }

    /// One that lies in stock.
    pub fn in_stock(desk: &Desk, serial: &str, kind: Kind) -> Self {
        let key = random::<32>(&SystemEntropy).unwrap().to_vec();
        let algorithm = match kind {
            Kind::Display => Algorithm::Sha1,
            Kind::Reader => Algorithm::Sha256,
        };
        let device = Self { serial: serial.to_owned(), key, algorithm };
        let new = [NewDevice { serial: serial.to_owned(), kind, seed: device.seed() }];
        let imported = import_code_devices(&desk.store, &SystemEntropy, &new, desk.now());
        assert_eq!(desk.runtime.block_on(imported).unwrap().added, 1);
        device
    }

    /// The code that it shows when its clock is `off` steps ahead.
    pub fn code_off(&self, desk: &Desk, off: i64) -> String {
        self.seed().code(step_at(desk.now()) + off).unwrap().to_string()
    }

    pub fn code(&self, desk: &Desk) -> String {
        self.code_off(desk, 0)
    }

    /// A code that it does not show around now.
    pub fn wrong_code(&self, desk: &Desk) -> String {
        let near: Vec<String> = (-12..=12).map(|off| self.code_off(desk, off)).collect();
        (0..).map(|n| format!("{n:06}")).find(|code| !near.contains(code)).unwrap()
    }
}

/// What blocks in the last notice that has a code.
pub fn block_code(arrived: &[Arrived]) -> String {
    // In an e-mail lines are broken anywhere.
    let with_code =
        |message: &&Arrived| message.channel == "sms" && message.text.contains("blocking code ");
    let sms = arrived.iter().rfind(with_code).unwrap();
    let (_, rest) = sms.text.split_once("blocking code ").unwrap();
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}

/// The parcel of an ordered device, packed now.
pub fn packed(desk: &Desk, serial: &str) -> Parcel {
    let row = desk.runtime.block_on(async {
        desk.store.read().await.unwrap().code_device_of(serial).await.unwrap().unwrap()
    });
    Parcel { serial: serial.to_owned(), order: row.order().unwrap() }
}

/// Enters a parcel as posted.
pub fn post(desk: &Desk, parcel: &Parcel) -> Result<(), StockError> {
    let parcels = [parcel.clone()];
    desk.runtime.block_on(post_code_devices(&desk.store, &parcels, desk.now()))
}

impl Citizen<'_> {
    pub fn user_id(&self) -> String {
        self.identity.to_string().replace(|c: char| c.is_ascii_digit(), "x")
    }

    /// Orders a device, which is posted at once.
    pub fn ordered(&self, serial: &str, kind: Kind) -> Device {
        let device = Device::in_stock(self.desk, serial, kind);
        self.reach(PHONE);
        let (status, answer) = self.order(kind, &self.user_id());
        assert_eq!((status, &answer["state"]), (201, &json!("ordered")), "{answer}");
        post(self.desk, &packed(self.desk, serial)).unwrap();
        device
    }

    /// Orders a device with this user ID.
    pub fn order(&self, kind: Kind, user_id: &str) -> (u16, Value) {
        self.own("POST", "/code-devices", &json!({ "kind": kind, "user_id": user_id }))
    }

    pub fn ask_for_device_code(&self, serial: &str, channel: &str) -> (u16, Value) {
        let asked = json!({ "user_id": self.user_id(), "serial": serial, "channel": channel });
        self.desk.post("/v1/code-device-codes", &asked)
    }

    /// The code that arrives by `channel`, if one does.
    pub fn device_code(&self, serial: &str, channel: &str) -> Option<String> {
        self.desk.deliver();
        assert_eq!(self.ask_for_device_code(serial, channel).0, 202);
        assert!(
            self.desk.deliver().is_empty(),
            "nothing is sent while somebody waits for the answer"
        );
        self.desk.runtime.block_on(self.desk.app.send_asked_codes());
        let arrived = self.desk.deliver();
        let mut found = arrived.iter().filter(|message| message.channel == channel);
        found.find_map(|message| code_in(&message.text))
    }

    pub fn activation_of(&self, device: &Device, code: &str) -> Value {
        json!({
            "user_id": self.user_id(), "serial": device.serial, "code": code,
            "device_code": device.code_off(self.desk, -1), "next_code": device.code(self.desk),
            "password": PASSWORD,
        })
    }

    pub fn activate_device(&self, body: &Value) -> (u16, Value) {
        self.desk.post("/v1/code-device-activations", body)
    }

    /// The whole way to an active device, whose next code has not been used.
    pub fn with_device(&self, serial: &str, kind: Kind) -> Device {
        let device = self.ordered(serial, kind);
        let code = self.device_code(serial, "sms").unwrap();
        let (status, answer) = self.activate_device(&self.activation_of(&device, &code));
        assert_eq!((status, &answer["state"]), (200, &json!("active")), "{answer}");
        self.desk.deliver();
        self.desk.wait(Duration::seconds(30));
        device
    }

    pub fn stand(&self, serial: &str, standing: &str) -> (u16, Value) {
        let step = format!("/code-devices/{serial}/standing");
        self.own("PUT", &step, &json!({ "standing": standing }))
    }
}
