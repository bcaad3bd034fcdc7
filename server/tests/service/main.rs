//! The service over its public interface, in this process, without models: the face instrument is a
//! fake that the test sets, all else is real.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a test that cannot go on fails"
)]

mod activation;
mod apps;
mod blocking;
mod borgercenter;
mod code_devices;
mod copying;
#[expect(dead_code, reason = "some of it is for the tests of logging in")]
mod desk;
mod devices;
mod enrolment;
mod erasing;
mod events;
mod hand_over;
mod looking;
mod officers;
mod operation;
mod outbox;
mod p_codes;
mod problems;
mod relay;
mod station;
