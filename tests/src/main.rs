//! The command `fixtures`: QA's passports, as files, as a virtual card, and through the whole system.

fn main() -> std::process::ExitCode {
    indrul_tests::cli::main()
}
