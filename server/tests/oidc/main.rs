//! Logging in at relying parties, over the public interface, with a device's key: on SQLite, and on PostgreSQL
//! where `INDRUL_TEST_POSTGRES` names a server.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a test that cannot go on fails"
)]

mod backchannel;
mod begun;
mod by_code;
mod clients;
mod codes;
mod conformance;
#[expect(dead_code, reason = "shared with the tests of the service, which use all of it")]
#[path = "../service/desk.rs"]
mod desk;
#[path = "../service/devices.rs"]
mod devices;
mod limits;
mod log_ins;
mod my_page;
mod parties;
mod registering;
mod requests;
mod sessions;
#[expect(dead_code, reason = "shared with the tests of the service, which use all of it")]
#[path = "../service/station.rs"]
mod station;
mod support;
mod timing;
mod typing;
