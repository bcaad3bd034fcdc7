//! `enroll kiosk --listen` as a process, for tests (docs/bridges.md).

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "for tests only: one that cannot go on fails"
)]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use crate::testing::enroll;

/// The bridge of a desk's reader, stopped when dropped.
pub struct Bridge(Child);

impl Bridge {
    /// For the pages of `server`, by the program `enroll` beside the program `fixtures` at this path.
    #[must_use]
    pub fn start(program: &str, server: &str, reader: &str) -> Self {
        let mut process = enroll(program)
            .args(["kiosk", "--listen", "127.0.0.1:8490", "--server", server, "--reader", reader])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "listening ws://127.0.0.1:8490\n");
        Self(process)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
