//! The service over its public interface, in this process, without models: the face instrument is a
//! fake that the test sets, all else is real.

mod enrolment;
mod problems;
mod relay;
mod station;
