//! The command `enroll`.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::cli::main()
}
